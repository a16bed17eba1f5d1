//! Says no, by which filter and until when.

use std::time::Duration;

use super::{Scene, Turn, filter::Filtered, throttle, why};
use crate::{
    domain::{
        answer::Leader,
        decision::{Decision, Rejection, RejectionReason},
        degradation::PoolKey,
        filter::Filter,
        policy::Policy,
        request::RouteRequest,
        time::Instant,
    },
    state::{State, nodes::Topology},
};

/// The rejection of a request that no node may take.
///
/// The filters run in order on each node, so the one that dropped the last node is the latest of those that dropped any.
pub fn none_eligible(
    filtered: &Filtered<'_>,
    topology: &Topology,
    policy: &Policy,
    now: Instant,
) -> Rejection {
    let Some(last) = filtered.dropped.iter().flatten().max().copied() else {
        let retry_delay = Some(policy.freshness.report_interval);
        return Rejection { reason: RejectionReason::NoNodes, retry_delay };
    };
    let retry_delay = match last {
        Filter::Breaker => Some(soonest_trial(filtered, topology, policy, now)),
        Filter::Freshness | Filter::Drain => Some(policy.freshness.report_interval),
        _ => None,
    };
    Rejection { reason: RejectionReason::NoEligibleNode(last), retry_delay }
}

/// The decision of a request that was refused before anything was looked at.
pub fn at_the_gate(
    rejection: Rejection,
    request: &RouteRequest,
    state: &State,
    policy: &Policy,
    turn: &Turn,
) -> Decision {
    let pool = PoolKey { request_type: request.request_type, model: request.model.clone() };
    let rung = state.pools.get(&pool).map(|pool| pool.rung).unwrap_or_default();
    let explanation = request.explain.then(|| {
        let limits = throttle::verdicts(request, state, policy, turn);
        let topology = &state.nodes.topology();
        why::explanation(None, limits, None, None, Scene { state, topology, policy })
    });
    Decision { outcome: Err(rejection), rung, explanation, turned: None }
}

/// The rejection of a request that may wait, while every node is full. Nodes report their queues anew in a while.
pub fn saturated(policy: &Policy) -> Rejection {
    let retry_delay = Some(policy.freshness.report_interval);
    Rejection { reason: RejectionReason::Saturated, retry_delay }
}

/// The rejection of a request that cannot be in time; what lies before it must first fall by so much.
pub fn late(over: Duration) -> Rejection {
    Rejection { reason: RejectionReason::Late, retry_delay: Some(over) }
}

/// The rejection of a request that may wait for the answer to an identical one.
pub fn pending(leader: Leader, now: Instant) -> Rejection {
    let retry_delay = Some(leader.until.since(now));
    Rejection { reason: RejectionReason::AnswerPending(leader), retry_delay }
}

/// Time until the first open breaker turns half-open; one that is being tried already is worth a report interval.
fn soonest_trial(filtered: &Filtered<'_>, topology: &Topology, policy: &Policy, now: Instant) -> Duration {
    let ejected = topology.nodes.iter().zip(&filtered.dropped).filter(|(_, d)| **d == Some(Filter::Breaker));
    let soonest = ejected.map(|(node, _)| node.live.vitals().breaker.opens_in(now)).min();
    soonest.unwrap_or_default().max(policy.freshness.report_interval)
}
