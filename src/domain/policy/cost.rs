//! What does it cost to send a request to a node?
//!
//! One sum, in milliseconds of somebody's waiting:
//!
//! ```text
//! cost = wait + P · own + batching · D · own + drag · (what contexts cost) + eviction · (what is pushed out)
//!        + lateness · (time past the target)
//! ```
//!
//! with `own` the time that the node takes for what it does not hold of the prompt, `P` the price of work and `D` the
//! requests that write their answer there. Here are its weights; the formula is computed in `route::score`.

use std::time::Duration;

/// What the expected cost of a candidate is made of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CostPolicy {
    /// Price of work, per millisecond of it, while the whole fleet is busy; it is 1 while the fleet is idle. 1 to 100.
    pub price_max: f64,
    /// Share of its own work that a request costs each one that writes its answer there, 0 or more.
    pub batching: f64,
    /// Weight of the time that the contexts in execution cost, 0 or more.
    pub drag: f64,
    /// Weight of the work that is lost with the blocks that a prompt pushes out of the cache, 0 or more.
    pub eviction: f64,
    /// What each millisecond past the request's target costs beyond itself, 0 or more.
    pub lateness: f64,
    /// A node with so much work ahead counts as wholly busy for the price of work; over 0.
    pub busy_wait: Duration,
    /// What it costs to load an adapter that the node does not have.
    pub adapter_load: Duration,
    /// Whether the speeds of nodes are learned.
    pub learn_speeds: Learning,
    /// Whether a request is refused that cannot be in time.
    pub refuse_late: Refusal,
    /// A request is refused where the best node is expected to take longer than so many times its target. 0.1 to 10.
    pub refuse_margin: f64,
}

impl Default for CostPolicy {
    fn default() -> Self {
        Self {
            price_max: 8.0,
            batching: 0.02,
            drag: 0.2,
            eviction: 10.0,
            lateness: 0.5,
            busy_wait: Duration::from_millis(500),
            adapter_load: Duration::from_secs(1),
            learn_speeds: Learning::On,
            refuse_late: Refusal::Never,
            refuse_margin: 1.0,
        }
    }
}

/// Whether the speeds of nodes are learned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Learning {
    /// From outcomes and reports.
    On,
    /// A node has the speed that it reports, or else that of its kind.
    Off,
}

/// Whether a request is refused that cannot be in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// It is routed all the same.
    Never,
    /// It is refused at once, so that others are in time.
    Late,
}

impl Refusal {
    /// Both, with their names in configuration.
    pub const NAMES: [(Self, &str); 2] = [(Self::Never, "never"), (Self::Late, "late")];
}
