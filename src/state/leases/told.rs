//! What was told of a pick, in little room: it is told again when the same request comes again.

use std::time::Duration;

use crate::domain::{
    decision::{LeaseGrant, Route, Targets},
    id::ModelName,
    policy::Balance,
    time::nanos,
};

/// A route without its lease.
#[derive(Debug)]
pub(super) struct Told {
    targets: Targets,
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
            targets: route.targets.clone(),
            model: route.model.clone(),
            expected_first_token_latency: route.expected_first_token_latency.map(Short::of),
            first_token_target: Short::of(route.first_token_target),
            expected_cached_tokens: route.expected_cached_tokens,
            balance: route.balance,
            spilled: route.spilled,
        }
    }

    /// The route, told again.
    pub(super) fn again(&self, lease: LeaseGrant) -> Route {
        Route {
            targets: self.targets.clone(),
            lease: Some(lease),
            expected_first_token_latency: self.expected_first_token_latency.map(Short::duration),
            expected_cached_tokens: self.expected_cached_tokens,
            first_token_target: self.first_token_target.duration(),
            spilled: self.spilled,
            repeated: true,
            balance: self.balance,
            model: self.model.clone(),
        }
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
