//! What may the section `policy` say?

use std::{num::NonZeroU32, time::Duration};

use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
    /// how candidates are compared
    pub balance: Word<Balance>,
    /// what load is made of: cpu · cpu% + memory · memory% + queue · queue%, plus a term for failures
    #[garde(dive)]
    pub load: Load,
    /// when a request may go to the other class
    #[garde(dive)]
    pub spill: SpillOver,
    /// what each tier is promised
    #[garde(dive)]
    pub tiers: Tiers,
    /// how many nodes a route names besides the picked one, 0 to 16
    #[garde(range(max = 16))]
    pub fallbacks: usize,
    /// how picks stay in flight
    #[garde(dive)]
    pub leases: Leases,
    /// when a node counts as alive
    #[garde(dive)]
    pub freshness: Freshness,
    /// when a node is ejected, and how it returns
    #[garde(dive)]
    pub breaker: Breaker,
    /// most nodes in the table, 1 to 1000000
    #[garde(range(min = 1, max = 1_000_000))]
    pub nodes_max: usize,
}

impl Default for Policy {
    fn default() -> Self {
        let policy = policy::Policy::default();
        Self {
            balance: Word(policy.balance),
            load: Load::default(),
            spill: SpillOver::default(),
            tiers: Tiers::default(),
            fallbacks: policy.fallbacks.0,
            leases: Leases::default(),
            freshness: Freshness::default(),
            breaker: Breaker::default(),
            nodes_max: policy.max_nodes.0,
        }
    }
}

/// What load is made of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(default, deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub struct Load {
    /// weight of the processor, 0 to 1000; the three weights must not all be 0
    #[garde(range(min = 0.0, max = 1000.0))]
    pub cpu: f64,
    /// weight of the memory, 0 to 1000
    #[garde(range(min = 0.0, max = 1000.0))]
    pub memory: f64,
    /// weight of the queue, 0 to 1000
    #[garde(range(min = 0.0, max = 1000.0))]
    pub queue: f64,
    /// whether a reported GPU takes the processor's place, `true` or `false`
    pub gpu_replaces_cpu: bool,
    /// queue length that counts as full, for nodes that declare none, 1 to 1000000 requests
    #[garde(custom(holdable))]
    pub queue_capacity: NonZeroU32,
    /// load added to a node all of whose recent requests failed, in proportion for fewer, 0 to 100000
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
    /// on what condition a request goes to the other class
    pub when: Word<Spill>,
    /// load of the best candidate of its own class from which on a request spills, 0 to 1000000; for `when_overloaded`
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
    /// what those who pay are promised
    #[garde(dive)]
    pub premium: Premium,
    /// what those who do not pay are promised
    #[garde(dive)]
    pub free: Free,
}

/// The paid tier: a type of its own, since its default is its own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(default, deny_unknown_fields)]
pub struct Premium {
    /// time to the first token that the tier is promised, 1ms to 1h
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
    /// time to the first token that the tier is promised, 1ms to 1h
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
    /// how long a pick counts as in flight without an outcome, 1ms to 1day, at most `ttl_max`
    #[garde(custom(within(TICK, DAY)))]
    pub ttl: Span,
    /// the longest that a request may ask for, 1ms to 1day
    #[garde(custom(within(TICK, DAY)))]
    pub ttl_max: Span,
    /// most live leases, 1 to 10000000
    #[garde(range(min = 1, max = 10_000_000))]
    pub live_max: usize,
    /// how long an ended lease is remembered, to know a repeated outcome, 0s to 1h
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

/// When a node counts as alive.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(default, deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub struct Freshness {
    /// how often agents are asked to report, 10ms to 1h
    #[garde(custom(within(Duration::from_millis(10), Duration::from_hours(1))))]
    pub report_interval: Span,
    /// a node without a report or a good outcome for so long is silent, 10ms to 1day, over `report_interval`
    #[garde(custom(within(Duration::from_millis(10), DAY)))]
    pub stale_after: Span,
    /// how long a node has to show a good outcome after the end of its stream, 0s to 1h
    #[garde(custom(within(Duration::ZERO, Duration::from_hours(1))))]
    pub close_grace: Span,
    /// how long a node without an agent is trusted after each good outcome, 0s to 1day
    #[garde(custom(within(Duration::ZERO, DAY)))]
    pub outcome_trust: Span,
    /// silence of more than this share of the fleet, 0 to 1, is not held against it
    #[garde(range(min = 0.0, max = 1.0))]
    pub freeze_share: f64,
    /// in a fleet of fewer nodes silence is always theirs, 0 or more
    pub freeze_nodes_min: usize,
    /// a node whose agent is gone and that shows nothing good for so long is forgotten, 1ms to 1day
    #[garde(custom(within(TICK, DAY)))]
    pub forget_after: Span,
}

impl Default for Freshness {
    fn default() -> Self {
        let freshness = policy::FreshnessPolicy::default();
        Self {
            report_interval: Span(freshness.report_interval),
            stale_after: Span(freshness.stale_after),
            close_grace: Span(freshness.close_grace),
            outcome_trust: Span(freshness.outcome_trust),
            freeze_share: freshness.freeze_share.get(),
            freeze_nodes_min: freshness.freeze_nodes_min,
            forget_after: Span(freshness.forget_after),
        }
    }
}

/// When a node is ejected, and how it returns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(default, deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub struct Breaker {
    /// failures in a row that eject a node, 1 or more
    pub consecutive_failures: NonZeroU32,
    /// span over which the success ratio is counted, 100ms to 1h
    #[garde(custom(within(Duration::from_millis(100), Duration::from_hours(1))))]
    pub window: Span,
    /// fewest outcomes in the window for the ratio to count, 1 or more
    pub samples_min: NonZeroU32,
    /// success ratio below which a node is ejected, 0 to 1
    #[garde(range(min = 0.0, max = 1.0))]
    pub success_ratio_min: f64,
    /// how long a node is ejected the first time, 1ms to 1day, at most `open_for_max`; doubles each time that the trial fails
    #[garde(custom(within(TICK, DAY)))]
    pub open_for: Span,
    /// the longest that a node is ejected at a time, 1ms to 1day
    #[garde(custom(within(TICK, DAY)))]
    pub open_for_max: Span,
    /// how long a returning node takes to get its full share, 0s to 1h
    #[garde(custom(within(Duration::ZERO, Duration::from_hours(1))))]
    pub slow_start: Span,
    /// more of a pool than this share, 0 to 1, is never ejected
    #[garde(range(min = 0.0, max = 1.0))]
    pub ejected_share_max: f64,
}

impl Default for Breaker {
    fn default() -> Self {
        let breaker = policy::BreakerPolicy::default();
        Self {
            consecutive_failures: breaker.consecutive_failures,
            window: Span(breaker.window),
            samples_min: breaker.samples_min,
            success_ratio_min: breaker.success_ratio_min.get(),
            open_for: Span(breaker.open_for),
            open_for_max: Span(breaker.open_for_max),
            slow_start: Span(breaker.slow_start),
            ejected_share_max: breaker.ejected_share_max.get(),
        }
    }
}
