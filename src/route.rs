//! Decides where one request goes. Start reading here.

pub mod filter;
pub mod pick;
pub mod record;
pub mod reject;
pub mod score;

use crate::{
    domain::{
        decision::{Decision, Rejection, Route, Rung, Target},
        explanation::{Explanation, Verdict},
        policy::Policy,
        request::RouteRequest,
        time::{Chance, Instant},
    },
    state::{State, nodes::Topology},
};
use filter::{Candidate, Filtered, filter};
use pick::{Keep, pick};
use record::record;
use reject::reject;
use score::{Scored, score};

/// What the core may not find out for itself: the time and a throw of the dice.
#[derive(Debug)]
pub struct Turn {
    /// The moment of the decision.
    pub now: Instant,
    /// The seeded source of chance.
    pub chance: Chance,
}

/// Decides where one request goes, and reserves its load there.
///
/// The stages run in the order in which they are written. Nothing here waits, reads a clock or touches the network;
/// only [`record`](mod@record) writes. The same request, state, policy and turn make the same decision.
pub fn decide(request: &RouteRequest, state: &State, policy: &Policy, turn: &mut Turn) -> Decision {
    if let Some((route, rung)) = state.leases.recall(request, turn.now) {
        return Decision { outcome: Ok(route), rung, explanation: None };
    }
    let topology = state.nodes.topology();
    loop {
        let choice = choose(request, &topology, policy, turn);
        // Each further round means that another request has taken the trial of a node chosen here.
        if let Some(decision) = record(choice, request, state, policy, turn) {
            return decision;
        }
    }
}

/// What [`decide`] would decide, and why. Changes nothing.
pub fn explain(request: &RouteRequest, state: &State, policy: &Policy, turn: &mut Turn) -> Decision {
    let request = RouteRequest { explain: true, ..request.clone() };
    let topology = state.nodes.topology();
    let choice = choose(&request, &topology, policy, turn);
    Decision {
        outcome: choice.outcome.map(|(_, route)| route),
        rung: choice.rung,
        explanation: choice.explanation,
    }
}

/// What was chosen, before it is in force.
#[derive(Debug)]
pub struct Choice<'a> {
    outcome: Result<(Candidate<'a>, Route), Rejection>,
    rung: Rung,
    explanation: Option<Explanation>,
}

fn choose<'a>(
    request: &RouteRequest,
    topology: &'a Topology,
    policy: &Policy,
    turn: &mut Turn,
) -> Choice<'a> {
    let filtered = filter(request, topology, policy, turn.now);
    let scored = score(&filtered, policy, turn);
    let keep = if request.explain { Keep::All } else { Keep::Best(1 + policy.fallbacks.0) };
    let ranked = pick(scored, policy.balance, keep, &mut turn.chance);
    let outcome = match ranked.first() {
        Some(best) => Ok((best.candidate, route(request, &ranked, filtered.spilled, policy, turn.now))),
        None => Err(reject(&filtered, topology, policy, turn.now)),
    };
    let explanation = request.explain.then(|| explanation(topology, &filtered, &ranked, policy));
    Choice { outcome, rung: filtered.rung, explanation }
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
        first_token_target: policy.tiers.first_token_target(request.tier),
        spilled,
        repeated: false,
    }
}

fn target(request: &RouteRequest, candidate: &Candidate<'_>) -> Option<Target> {
    let spec = &candidate.node.spec;
    let endpoint = spec.endpoints.get(&request.request_type)?;
    Some(Target { node: spec.id.clone(), endpoint: endpoint.clone() })
}

fn explanation(
    topology: &Topology,
    filtered: &Filtered<'_>,
    ranked: &[Scored<'_>],
    policy: &Policy,
) -> Explanation {
    let mut verdicts: Vec<_> = filtered.dropped.iter().map(|filter| filter.map(Verdict::Dropped)).collect();
    for (rank, scored) in ranked.iter().enumerate() {
        verdicts[scored.candidate.index] = Some(Verdict::Scored(scored.score, rank));
    }
    let ids = topology.nodes.iter().map(|node| node.spec.id.clone());
    let nodes = ids.zip(verdicts).filter_map(|(id, verdict)| Some((id, verdict?))).collect();
    Explanation { balance: policy.balance.name(), class: filtered.class, revision: topology.revision, nodes }
}
