//! What is seen of the nodes that serve the request, read once for all stages?

use std::sync::Arc;

use super::{Scene, score::load::Reading};
use crate::{
    domain::{decision::Rung, node::BreakerState, request::RouteRequest, time::Instant},
    state::nodes::{node::Node, trust::Presence},
};

/// A node that serves the request's type and model, as it is now.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    /// The node.
    pub node: &'a Arc<Node>,
    /// Its place in the topology.
    pub index: usize,
    /// Whether an operator drains it.
    pub draining: bool,
    /// Whether it fails.
    pub breaker: BreakerState,
    /// Whether it is there.
    pub presence: Presence,
    /// Whether a report of it holds.
    pub tells: bool,
    /// What the scores read of it.
    pub reading: Reading,
}

impl View<'_> {
    /// Whether it takes requests as a matter of course.
    pub fn is_live(&self) -> bool {
        let present = matches!(self.presence, Presence::Present | Presence::Unreported);
        present && !self.draining && self.breaker == BreakerState::Closed
    }
}

/// Looks at every node that serves the request's type and model, in order of their ids.
pub fn view<'a>(request: &RouteRequest, scene: Scene<'a>, now: Instant) -> Vec<View<'a>> {
    let Scene { topology, policy, .. } = scene;
    let look = |place: &u32| {
        let index = *place as usize;
        let node = &topology.nodes[index];
        let vitals = node.live.vitals();
        View {
            node,
            index,
            draining: vitals.draining,
            breaker: vitals.breaker.at(now),
            presence: vitals.trust.at(now),
            tells: vitals.reported_at(now, &policy.freshness).is_some(),
            reading: Reading::of(node, &vitals, policy, Rung::Normal, now),
        }
    };
    topology.pool(request.request_type, &request.model).iter().map(look).collect()
}
