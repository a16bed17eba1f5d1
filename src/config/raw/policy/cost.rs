//! What may the file say of what a candidate is expected to cost?

use std::time::Duration;

use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    config::raw::{
        span::{Span, TICK, within},
        word::Word,
    },
    domain::policy::{CostPolicy, Learning, Refusal},
};

/// Largest weight of a term.
const WEIGHT_MAX: f64 = 1000.0;

/// What the expected cost of a candidate is made of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(default, deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub struct Cost {
    /// Price of a millisecond of work on a busy fleet, 1 to 100; on an idle one it is 1.
    #[garde(range(min = 1.0, max = 100.0))]
    pub price_max: f64,
    /// Share of its own work that a request costs each one that writes its answer there, 0 to 1000.
    #[garde(range(min = 0.0, max = WEIGHT_MAX))]
    pub batching: f64,
    /// Weight of what the contexts in execution cost, 0 to 1000.
    #[garde(range(min = 0.0, max = WEIGHT_MAX))]
    pub drag: f64,
    /// Weight of what is lost with the blocks that a prompt pushes out of the cache, 0 to 1000.
    #[garde(range(min = 0.0, max = WEIGHT_MAX))]
    pub eviction: f64,
    /// What each millisecond past the first-token target costs beyond itself, 0 to 1000.
    #[garde(range(min = 0.0, max = WEIGHT_MAX))]
    pub lateness: f64,
    /// A node with so much work ahead counts as wholly busy for the price of work, 1ms to 1h.
    #[garde(custom(within(TICK, Duration::from_hours(1))))]
    pub busy_wait: Span,
    /// What it costs to load an adapter that the node does not have, 0s to 1h.
    #[garde(custom(within(Duration::ZERO, Duration::from_hours(1))))]
    pub adapter_load: Span,
    /// Whether the speeds of nodes are learned, `true` or `false`.
    pub learn_speeds: bool,
    /// Whether a request is refused that even the best node would answer too late.
    pub refuse_late: Word<Refusal>,
    /// Too late is so many times the request's first-token target, 0.1 to 10; for `late`.
    #[garde(range(min = 0.1, max = 10.0))]
    pub refuse_margin: f64,
}

impl Default for Cost {
    fn default() -> Self {
        let cost = CostPolicy::default();
        Self {
            price_max: cost.price_max,
            batching: cost.batching,
            drag: cost.drag,
            eviction: cost.eviction,
            lateness: cost.lateness,
            busy_wait: Span(cost.busy_wait),
            adapter_load: Span(cost.adapter_load),
            learn_speeds: cost.learn_speeds == Learning::On,
            refuse_late: Word(cost.refuse_late),
            refuse_margin: cost.refuse_margin,
        }
    }
}
