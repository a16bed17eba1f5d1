//! What may the section `policy` say?

pub mod answers;
pub mod cost;
pub mod degradation;
pub mod limits;
pub mod liveness;
pub mod prefixes;

use std::{num::NonZeroU32, time::Duration};

use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::{
    answers::Answers,
    cost::Cost,
    degradation::Degradation,
    limits::Limits,
    liveness::{Breaker, Freshness},
    prefixes::Prefixes,
};
use super::{
    span::{DAY, Span, TICK, within},
    word::Word,
};
use crate::domain::{
    node::NodeSpec,
    policy::{self, Balance, Spill},
};

/// What decides.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(default, deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub struct Policy {
    /// How candidates are compared.
    pub balance: Word<Balance>,
    /// What load is made of: cpu · cpu% + memory · memory% + queue · queue%, plus a term for failures.
    #[garde(dive)]
    pub load: Load,
    /// What the expected cost of a candidate is made of, for `expected_cost`.
    #[garde(dive)]
    pub cost: Cost,
    /// How the beginnings of prompts are remembered, to send what begins alike to the same node.
    #[garde(dive)]
    pub prefixes: Prefixes,
    /// When a request may go to the other class.
    #[garde(dive)]
    pub spill: SpillOver,
    /// What each tier is promised.
    #[garde(dive)]
    pub tiers: Tiers,
    /// How many nodes a route names besides the picked one, 0 to 16.
    #[garde(range(max = 16))]
    pub fallbacks: usize,
    /// How picks stay in flight.
    #[garde(dive)]
    pub leases: Leases,
    /// When a node counts as alive.
    #[garde(dive)]
    pub freshness: Freshness,
    /// When a node is ejected, and how it returns.
    #[garde(dive)]
    pub breaker: Breaker,
    /// How much anyone may ask for.
    #[garde(dive)]
    pub limits: Limits,
    /// When a pool is too busy, and what is given instead.
    #[garde(dive)]
    pub degradation: Degradation,
    /// How answers are kept.
    #[garde(dive)]
    pub answers: Answers,
    /// Most nodes in the table, 1 to 1000000.
    #[garde(range(min = 1, max = 1_000_000))]
    pub nodes_max: usize,
}

impl Default for Policy {
    fn default() -> Self {
        let policy = policy::Policy::default();
        Self {
            balance: Word(policy.balance),
            load: Load::default(),
            cost: Cost::default(),
            prefixes: Prefixes::default(),
            spill: SpillOver::default(),
            tiers: Tiers::default(),
            fallbacks: policy.fallbacks.0,
            leases: Leases::default(),
            freshness: Freshness::default(),
            breaker: Breaker::default(),
            limits: Limits::default(),
            degradation: Degradation::default(),
            answers: Answers::default(),
            nodes_max: policy.nodes_max.0,
        }
    }
}

/// What load is made of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(default, deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub struct Load {
    /// Weight of the processor, 0 to 1000; the three weights must not all be 0.
    #[garde(range(min = 0.0, max = 1000.0))]
    pub cpu: f64,
    /// Weight of the memory, 0 to 1000.
    #[garde(range(min = 0.0, max = 1000.0))]
    pub memory: f64,
    /// Weight of the queue, 0 to 1000.
    #[garde(range(min = 0.0, max = 1000.0))]
    pub queue: f64,
    /// Whether a reported GPU takes the processor's place, `true` or `false`.
    pub gpu_replaces_cpu: bool,
    /// Queue length that counts as full, for nodes that declare none, 1 to 1000000 requests.
    #[garde(custom(holdable))]
    pub queue_capacity: NonZeroU32,
    /// Load added to a node all of whose recent requests failed, in proportion for fewer, 0 to 100000.
    #[garde(range(min = 0.0, max = 100_000.0))]
    pub failure_penalty: f64,
}

/// Refuses queues longer than any node can declare.
pub fn holdable(capacity: &NonZeroU32, (): &()) -> garde::Result {
    if capacity.get() <= NodeSpec::MAX_QUEUE_CAPACITY {
        return Ok(());
    }
    Err(garde::Error::new(format!("greater than {}", NodeSpec::MAX_QUEUE_CAPACITY)))
}

impl Default for Load {
    fn default() -> Self {
        let load = policy::LoadPolicy::default();
        Self {
            cpu: load.cpu,
            memory: load.memory,
            queue: load.queue,
            gpu_replaces_cpu: load.gpu_replaces_cpu,
            queue_capacity: load.queue_capacity,
            failure_penalty: load.failure_penalty,
        }
    }
}

/// When a request may go to the other class.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(default, deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub struct SpillOver {
    /// On what condition a request goes to the other class.
    pub when: Word<Spill>,
    /// Load of the best candidate of its own class from which on a request spills, 0 to 1000000; for `when_overloaded`.
    #[garde(range(min = 0.0, max = 1_000_000.0))]
    pub overload: f64,
}

impl Default for SpillOver {
    fn default() -> Self {
        let spill = policy::SpillPolicy::default();
        Self { when: Word(spill.when), overload: spill.overload }
    }
}

/// What each tier is promised.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(default, deny_unknown_fields)]
pub struct Tiers {
    /// What those who pay are promised.
    #[garde(dive)]
    pub premium: Premium,
    /// What those who do not pay are promised.
    #[garde(dive)]
    pub free: Free,
}

/// The paid tier: a type of its own, since its default is its own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(default, deny_unknown_fields)]
pub struct Premium {
    /// Time to the first token that the tier is promised, 1ms to 1h.
    #[garde(custom(within(TICK, Duration::from_hours(1))))]
    pub first_token_latency: Span,
}

impl Default for Premium {
    fn default() -> Self {
        Self { first_token_latency: Span(policy::Tiers::default().premium) }
    }
}

/// The free tier.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(default, deny_unknown_fields)]
pub struct Free {
    /// Time to the first token that the tier is promised, 1ms to 1h.
    #[garde(custom(within(TICK, Duration::from_hours(1))))]
    pub first_token_latency: Span,
}

impl Default for Free {
    fn default() -> Self {
        Self { first_token_latency: Span(policy::Tiers::default().free) }
    }
}

/// How picks stay in flight.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(default, deny_unknown_fields)]
pub struct Leases {
    /// How long a pick counts as in flight without an outcome, 1ms to 1day, at most `ttl_max`.
    #[garde(custom(within(TICK, DAY)))]
    pub ttl: Span,
    /// The longest that a request may ask for, 1ms to 1day.
    #[garde(custom(within(TICK, DAY)))]
    pub ttl_max: Span,
    /// Most live leases, 1 to 10000000.
    #[garde(range(min = 1, max = 10_000_000))]
    pub live_max: usize,
    /// How long an ended lease is remembered, to know a repeated outcome, 0s to 1h.
    #[garde(custom(within(Duration::ZERO, Duration::from_hours(1))))]
    pub remember: Span,
}

impl Default for Leases {
    fn default() -> Self {
        let leases = policy::LeasePolicy::default();
        Self {
            ttl: Span(leases.ttl),
            ttl_max: Span(leases.ttl_max),
            live_max: leases.live_max,
            remember: Span(leases.remember),
        }
    }
}
