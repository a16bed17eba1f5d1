//! What is a pick's expected cost made of?

use std::time::Duration;

/// Weights of the expected cost; the formula stands where it is computed, in `route::score::cost`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CostPolicy {
    /// Highest price of work: 1 on an idle fleet, this on a full one. 1 or more.
    pub price_max: f64,
    /// A node with so much before it counts as busy for the price.
    pub busy_wait: Duration,
    /// What a prompt's work costs each sequence that decodes on the node, per own work. 0 or more.
    pub batching: f64,
    /// What the contexts of those sequences cost the request's own decoding. 0 or more.
    pub drag: f64,
    /// What it costs to push out what others will want again, per own work on a full node. 0 or more.
    pub eviction: f64,
    /// What each millisecond past the request's target costs beyond itself. 0 or more.
    pub lateness: f64,
    /// Time to load an adapter that the node does not have.
    pub adapter_load: Duration,
    /// Whether speeds are learned from outcomes.
    pub learning: Learning,
    /// Whether a request that cannot be in time is refused.
    pub refuse: Refusal,
    /// It is refused where the best node is expected to take longer than so many times the target. Over 0.
    pub refuse_margin: f64,
}

/// Whether speeds are learned from outcomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Learning {
    /// They are.
    #[default]
    On,
    /// Only what nodes tell counts.
    Off,
}

impl Learning {
    /// Both, with their names in configuration.
    pub const NAMES: [(Self, &str); 2] = [(Self::On, "on"), (Self::Off, "off")];
}

/// Whether a request that cannot be in time is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Refusal {
    /// Never.
    #[default]
    Never,
    /// When no node is expected to be in time and the fleet is busy; lower tiers first.
    Late,
}

impl Refusal {
    /// Both, with their names in configuration.
    pub const NAMES: [(Self, &str); 2] = [(Self::Never, "never"), (Self::Late, "late")];
}

impl Default for CostPolicy {
    fn default() -> Self {
        Self {
            price_max: 8.0,
            busy_wait: Duration::from_millis(500),
            batching: 0.02,
            drag: 0.2,
            eviction: 10.0,
            lateness: 0.5,
            adapter_load: Duration::from_secs(1),
            learning: Learning::On,
            refuse: Refusal::Never,
            refuse_margin: 1.0,
        }
    }
}
