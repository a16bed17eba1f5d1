//! What was told of a pick, in little room: it is told again when the same request comes again.

use std::{iter::once, time::Duration};

use crate::domain::{
    decision::{LeaseGrant, Route, Target},
    id::ModelName,
    policy::Balance,
    time::nanos,
};

/// A route without its lease.
#[derive(Debug)]
pub(super) struct Told {
    /// The target, then the fallbacks.
    targets: Box<[Target]>,
    model: ModelName,
    expected_first_token_latency: Option<Short>,
    first_token_target: Short,
    expected_cached_tokens: Option<u32>,
    balance: Balance,
    spilled: bool,
}

impl Told {
    pub(super) fn of(route: &Route) -> Self {
        Self {
            targets: once(&route.target).chain(&route.fallbacks).cloned().collect(),
            model: route.model.clone(),
            expected_first_token_latency: route.expected_first_token_latency.map(Short::of),
            first_token_target: Short::of(route.first_token_target),
            expected_cached_tokens: route.expected_cached_tokens,
            balance: route.balance,
            spilled: route.spilled,
        }
    }

    /// The route, told again.
    pub(super) fn again(&self, lease: LeaseGrant) -> Option<Route> {
        let (target, fallbacks) = self.targets.split_first()?;
        Some(Route {
            target: target.clone(),
            fallbacks: fallbacks.to_vec(),
            lease: Some(lease),
            expected_first_token_latency: self.expected_first_token_latency.map(Short::duration),
            expected_cached_tokens: self.expected_cached_tokens,
            first_token_target: self.first_token_target.duration(),
            spilled: self.spilled,
            repeated: true,
            balance: self.balance,
            model: self.model.clone(),
        })
    }
}

/// A duration in 8 bytes instead of 16: there are hundreds of thousands of leases.
#[derive(Debug, Clone, Copy)]
pub(super) struct Short(u64);

impl Short {
    pub(super) fn of(duration: Duration) -> Self {
        Self(nanos(duration))
    }

    pub(super) fn duration(self) -> Duration {
        Duration::from_nanos(self.0)
    }
}
