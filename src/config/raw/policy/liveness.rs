//! What may the file say of when a node is alive and when it is ejected?

use std::{num::NonZeroU32, time::Duration};

use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    config::raw::span::{DAY, Span, TICK, within},
    domain::policy,
};

/// When a node counts as alive.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(default, deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub struct Freshness {
    /// How often agents are asked to report, 10ms to 1h.
    #[garde(custom(within(Duration::from_millis(10), Duration::from_hours(1))))]
    pub report_interval: Span,
    /// A node without a report or a good outcome for so long is silent, 10ms to 1day, over `report_interval`.
    #[garde(custom(within(Duration::from_millis(10), DAY)))]
    pub stale_after: Span,
    /// How long a node has to show a good outcome after the end of its stream, 0s to 1h.
    #[garde(custom(within(Duration::ZERO, Duration::from_hours(1))))]
    pub close_grace: Span,
    /// How long a node without an agent is trusted after each good outcome, 0s to 1day.
    #[garde(custom(within(Duration::ZERO, DAY)))]
    pub outcome_trust: Span,
    /// Silence of more than this share of the fleet, 0 to 1, is not held against it.
    #[garde(range(min = 0.0, max = 1.0))]
    pub freeze_share: f64,
    /// In a fleet of fewer nodes silence is always theirs, 0 or more.
    pub freeze_nodes_min: usize,
    /// A node whose agent is gone and that shows nothing good for so long is forgotten, 1ms to 1day.
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
    /// Failures in a row that eject a node, 1 or more.
    pub consecutive_failures: NonZeroU32,
    /// Span over which the success ratio is counted, 100ms to 1h.
    #[garde(custom(within(Duration::from_millis(100), Duration::from_hours(1))))]
    pub window: Span,
    /// Fewest outcomes in the window for the ratio to count, 1 or more.
    pub samples_min: NonZeroU32,
    /// Success ratio below which a node is ejected, 0 to 1.
    #[garde(range(min = 0.0, max = 1.0))]
    pub success_ratio_min: f64,
    /// How long a node is ejected the first time, 1ms to 1day, at most `open_for_max`; doubles each time that the trial fails.
    #[garde(custom(within(TICK, DAY)))]
    pub open_for: Span,
    /// The longest that a node is ejected at a time, 1ms to 1day.
    #[garde(custom(within(TICK, DAY)))]
    pub open_for_max: Span,
    /// How long a returning node takes to get its full share, 0s to 1h.
    #[garde(custom(within(Duration::ZERO, Duration::from_hours(1))))]
    pub slow_start: Span,
    /// More of a pool than this share, 0 to 1, is never ejected.
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
