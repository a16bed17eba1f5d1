//! Which node takes the request, and which are the fallbacks?
//!
//! The part of the decision that looks at nodes: filtered, scored, picked.

use super::{
    Picked, Scene, Turn,
    filter::{Candidate, Filtered, filter},
    pick::{Keep, pick},
    reject,
    score::{Scored, score, used},
};
use crate::domain::{
    decision::{Rejection, Route, Target},
    policy::Policy,
    request::{Patience, RouteRequest},
    time::Instant,
};

/// What was seen of the nodes on the way.
#[derive(Debug)]
pub struct Seen<'a> {
    /// What passed the filters, and what did not.
    pub filtered: Filtered<'a>,
    /// The candidates, best first: as many as were needed.
    pub ranked: Vec<Scored<'a>>,
}

/// Finds a node for the request, or says why there is none.
pub fn place<'a>(
    request: &RouteRequest,
    scene: Scene<'a>,
    turn: &mut Turn,
) -> (Result<Picked<'a>, Rejection>, Seen<'a>) {
    let Scene { topology, policy, .. } = scene;
    let filtered = filter(request, topology, policy, turn.now);
    let scored = score(&filtered, policy, turn);
    let is_full = scored.iter().all(|scored| scored.pressure >= 1.0);
    let keep = if request.explain { Keep::All } else { Keep::Best(1 + policy.fallbacks.0) };
    let ranked = pick(scored, policy.balance, keep, &mut turn.chance);
    let outcome = match ranked.first() {
        None => Err(reject::none_eligible(&filtered, topology, policy, turn.now)),
        // Whoever may wait for room does not pile up on a full node.
        Some(_) if is_full && request.patience != Patience::None => Err(reject::saturated(policy)),
        Some(best) => {
            let route = route(request, &ranked, filtered.spilled, policy, turn.now);
            Ok(Picked { candidate: best.candidate, route })
        }
    };
    (outcome, Seen { filtered, ranked })
}

fn route(
    request: &RouteRequest,
    ranked: &[Scored<'_>],
    spilled: bool,
    policy: &Policy,
    now: Instant,
) -> Route {
    let mut targets = ranked.iter().filter_map(|scored| target(request, &scored.candidate));
    let best = &ranked[0].candidate.node;
    Route {
        target: targets.next().expect("a candidate has an endpoint for the request's type"),
        fallbacks: targets.take(policy.fallbacks.0).collect(),
        lease: None,
        expected_first_token_latency: best.live.vitals().expected_first_token(request.request_type, now),
        expected_cached_tokens: None,
        first_token_target: request
            .first_token_target
            .unwrap_or_else(|| policy.tiers.first_token_target(request.tier)),
        spilled,
        repeated: false,
        balance: used(policy.balance),
        model: request.model.clone(),
    }
}

fn target(request: &RouteRequest, candidate: &Candidate<'_>) -> Option<Target> {
    let spec = &candidate.node.spec;
    let endpoint = spec.endpoints.get(&request.request_type)?;
    Some(Target { node: spec.id.clone(), endpoint: endpoint.clone() })
}
