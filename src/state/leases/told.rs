//! What was told of a pick, in little room: it is told again when the same request comes again.

use std::time::Duration;

use smallvec::SmallVec;

use crate::{
    domain::{
        decision::{LeaseGrant, Route, Target, Targets},
        id::{ModelName, NodeNumber},
        node::RequestType,
        policy::Balance,
        time::nanos,
    },
    state::nodes::{Topology, node::Node},
};

/// A route without its lease and its node.
#[derive(Debug)]
pub(super) struct Told {
    /// Where to go if the node fails, best first. Numbers: what is shared with each of these nodes would be far away when the
    /// lease ends, and be waited for, one after the other.
    fallbacks: SmallVec<[NodeNumber; 4]>,
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
            fallbacks: route.targets.fallbacks().iter().map(Target::number).collect(),
            model: route.model.clone(),
            expected_first_token_latency: route.expected_first_token_latency.map(Short::of),
            first_token_target: Short::of(route.first_token_target),
            expected_cached_tokens: route.expected_cached_tokens,
            balance: route.balance,
            spilled: route.spilled,
        }
    }

    /// The route to this node, told again. Fallbacks that are gone meanwhile are left out.
    pub(super) fn again(
        &self,
        (node, request_type): (&Node, RequestType),
        topology: &Topology,
        lease: LeaseGrant,
    ) -> Option<Route> {
        let fallbacks =
            self.fallbacks.iter().filter_map(|number| topology.node(*number)?.target(request_type));
        let targets = std::iter::once(node.target(request_type)?).chain(fallbacks);
        Some(Route {
            targets: Targets::new(targets.cloned())?,
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
