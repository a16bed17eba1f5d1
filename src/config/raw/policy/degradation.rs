//! What may the file say of when a pool is too busy, and what is given instead?

use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    config::raw::{
        span::{DAY, Span, TICK, within},
        word::Word,
    },
    domain::{
        degradation::{DegradationPolicy, Thresholds},
        node::RequestType,
    },
};

/// When a pool (all nodes that serve one request type and model) is too busy, and what is given instead.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(default, deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub struct Degradation {
    /// When free requests of low priority get less, by the pool's mean load.
    #[garde(dive)]
    pub busy: Busy,
    /// When free requests of normal priority get less too; not before `busy`.
    #[garde(dive)]
    pub overloaded: Overloaded,
    /// Shortest time after which a refused request is asked to come back, 1ms to 1day, at most `retry_max`.
    #[garde(custom(within(TICK, DAY)))]
    pub retry_min: Span,
    /// Longest such time, 1ms to 1day; up to half of it is added by chance.
    #[garde(custom(within(TICK, DAY)))]
    pub retry_max: Span,
    /// Pools for which something else holds, at most 256; of the rules that match a pool the first counts.
    #[garde(dive)]
    pub pools: Vec<Pool>,
}

impl Default for Degradation {
    fn default() -> Self {
        let degradation = DegradationPolicy::default();
        Self {
            busy: Busy::default(),
            overloaded: Overloaded::default(),
            retry_min: Span(degradation.retry_min),
            retry_max: Span(degradation.retry_max),
            pools: Vec::new(),
        }
    }
}

/// When a pool is busy: a type of its own, since its default is its own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(default, deny_unknown_fields)]
pub struct Busy {
    /// Load from which on a pool is busy, 0 to 1000; idle is 0 and full is 100, failures add to it.
    #[garde(range(min = 0.0, max = 1000.0))]
    pub enter: f64,
    /// Load below which it no longer is, 0 to 1000, at most `enter`.
    #[garde(range(min = 0.0, max = 1000.0))]
    pub leave: f64,
}

impl Default for Busy {
    fn default() -> Self {
        let busy = Thresholds::default().busy;
        Self { enter: busy.enter, leave: busy.leave }
    }
}

/// When a pool is overloaded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(default, deny_unknown_fields)]
pub struct Overloaded {
    /// Load from which on a pool is overloaded, 0 to 1000, at least the `enter` of `busy`.
    #[garde(range(min = 0.0, max = 1000.0))]
    pub enter: f64,
    /// Load below which it no longer is, 0 to 1000, at most `enter` and at least the `leave` of `busy`.
    #[garde(range(min = 0.0, max = 1000.0))]
    pub leave: f64,
}

impl Default for Overloaded {
    fn default() -> Self {
        let overloaded = Thresholds::default().overloaded;
        Self { enter: overloaded.enter, leave: overloaded.leave }
    }
}

/// What holds for some pools.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(default, deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub struct Pool {
    /// Request type that it is for; without it any.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub request_type: Option<Word<RequestType>>,
    /// Model that it is for, 1 to 256 bytes; without it any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// When these pools are busy; what is not given is that of `policy.degradation.busy`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[garde(dive)]
    pub busy: Option<Threshold>,
    /// When these pools are overloaded; what is not given is that of `policy.degradation.overloaded`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[garde(dive)]
    pub overloaded: Option<Threshold>,
    /// Smaller model that takes the requests that get less, if a node serves it; not `model` itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fallback_model: Option<String>,
    /// What those are told that are refused, one line of 1 to 512 bytes; without it that the fleet is busy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// Loads at which some pools change their rung.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(default, deny_unknown_fields)]
pub struct Threshold {
    /// Load from which on it holds, 0 to 1000.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[garde(range(min = 0.0, max = 1000.0))]
    pub enter: Option<f64>,
    /// Load below which it no longer does, 0 to 1000, at most `enter`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[garde(range(min = 0.0, max = 1000.0))]
    pub leave: Option<f64>,
}
