//! Puts a choice into force: the only stage that writes, but for the limits of requests.

use std::time::Duration;

use super::{
    Choice, Chosen, Picked, Scene, Turn, reject,
    reuse::{self, Known},
    throttle,
};
use crate::{
    domain::{
        answer::Leader,
        decision::{CachedAnswer, Decision, Granted, Rejection, RejectionReason, Rung},
        explanation::AnswerVerdict,
        policy::Policy,
        request::{AnswerUse, Patience, RouteRequest},
    },
    state::{
        answers::{Claim, Leadership, Question},
        leases::{GrantError, Holds, Reservation, Tried},
        nodes::{node::Node, prefixes::Renewals},
    },
};

/// Reserves the picked node and the expected tokens for the request, unless another pick of the same request was faster:
/// then that one's decision stands. `None` where another request was faster to try a half-open node: then choose again.
pub fn record(
    choice: Choice<'_>,
    request: &RouteRequest,
    tried: Tried,
    scene: Scene<'_>,
    turn: &Turn,
) -> Option<Decision> {
    let Choice { outcome, rung, question, known, pool, fate, explanation, mut demand } = choice;
    let granted = match outcome {
        Ok(Chosen::Route(picked)) => {
            let (node, cache_blocks) = (picked.node, picked.cache_blocks);
            let granted = grant(picked, rung, (request, tried, question.as_ref()), scene, turn)?;
            if let (Ok((Granted::Route(_), _)), Some(seen)) = (&granted, &mut demand) {
                seen.renewals = place_prefix(node, cache_blocks, request, scene, turn);
            }
            granted
        }
        Ok(Chosen::Answer(answer)) => Ok((Granted::Answer(answer), rung)),
        Err(rejection) => Err(rejection),
    };
    if let Some(seen) = demand {
        scene.state.demand.observe(&request.pool(), seen, turn.now);
    }
    if granted.is_err() {
        scene.state.leases.leave(request, tried, &scene.policy.leases, turn.now);
    }
    if let (Ok((granted, _)), Some(key)) = (&granted, question.filter(|_| known != Known::Unasked)) {
        scene.state.answers.note(&key, verdict(granted), turn.now);
    }
    let turned = pool.filter(|pool| scene.state.pools.observe(pool, fate, turn.now).is_some()).map(Box::new);
    let rung = granted.as_ref().map_or(rung, |(_, rung)| *rung);
    Some(Decision { outcome: granted.map(|(granted, _)| granted), rung, explanation, turned })
}

/// The node will hold the prompt from now on: in its cache of so many blocks.
fn place_prefix(
    node: &Node,
    cache_blocks: u32,
    request: &RouteRequest,
    scene: Scene<'_>,
    turn: &Turn,
) -> Renewals {
    let (prefixes, policy) = (&scene.state.nodes.prefixes, &scene.policy.prefixes);
    let Some(occupancy) = node.live.occupancy.as_deref().filter(|_| !request.prefix.is_empty()) else {
        return Renewals::default();
    };
    prefixes.resize(occupancy, cache_blocks);
    prefixes.place(occupancy, &request.prefix, policy.bytes_max, turn.now)
}

/// What a known answer was good for. Of a refusal nothing is noted: those who wait ask again.
fn verdict(granted: &Granted) -> AnswerVerdict {
    match granted {
        Granted::Answer(answer) if answer.stale => AnswerVerdict::Stale,
        Granted::Answer(_) => AnswerVerdict::Fresh,
        Granted::Route(_) => AnswerVerdict::Miss,
    }
}

/// What a request that goes to a node takes, in the order in which it is given back for least.
fn grant(
    picked: Picked<'_>,
    rung: Rung,
    (request, tried, question): (&RouteRequest, Tried, Option<&Question>),
    scene: Scene<'_>,
    turn: &Turn,
) -> Option<Result<(Granted, Rung), Rejection>> {
    let mut holds = Holds::default();
    match lead(request, question, scene, turn) {
        Lead::Takes(leadership) => holds.leadership = leadership,
        Lead::Waits(leader) => return Some(Err(reject::pending(leader, turn.now))),
        Lead::Answered(answer) => return Some(Ok((Granted::Answer(answer), rung))),
    }
    let granted = reserve_tokens(&mut holds, request, tried, scene, turn).and_then(|()| {
        let reservation = Reservation {
            node: picked.node.clone(),
            trial: picked.trial,
            route: picked.route,
            work: picked.work,
            rung,
            ttl: ttl(request, scene.policy),
        };
        let Scene { state, topology, policy } = scene;
        let granted =
            state.leases.grant((request, tried), reservation, &mut holds, (topology, policy), turn.now);
        granted.map_err(|error| match error {
            GrantError::Exhausted => Some(exhausted(scene.policy)),
            GrantError::TrialTaken => None,
        })
    });
    scene.state.release(holds, &scene.policy.answers, turn.now);
    match granted {
        Ok((route, rung)) => Some(Ok((Granted::Route(route), rung))),
        Err(rejection) => rejection.map(Err),
    }
}

/// Whether a request goes on to a node, and whether identical ones wait for it.
enum Lead {
    Takes(Option<Leadership>),
    Waits(Leader),
    Answered(CachedAnswer),
}

/// Of identical requests that were found to be new at the same moment one goes to a node.
fn lead(request: &RouteRequest, question: Option<&Question>, scene: Scene<'_>, turn: &Turn) -> Lead {
    let Some(key) = question.filter(|_| request.answer_use == AnswerUse::Share) else {
        return Lead::Takes(None);
    };
    let until = turn.now + ttl(request, scene.policy);
    match scene.state.answers.claim(key, &request.key, until, &scene.policy.answers, turn.now) {
        Claim::Leads(leadership) => Lead::Takes(Some(leadership)),
        Claim::Follows(leader) if request.patience == Patience::Waits => Lead::Waits(leader),
        Claim::Follows(_) | Claim::Alone => Lead::Takes(None),
        Claim::Answered(answer) => Lead::Answered(reuse::given(&answer, turn)),
    }
}

/// Tokens are reserved before they are used: a limit that is charged only afterwards lets any number of requests in at
/// once. An earlier attempt's are still held.
fn reserve_tokens(
    holds: &mut Holds,
    request: &RouteRequest,
    tried: Tried,
    scene: Scene<'_>,
    turn: &Turn,
) -> Result<(), Option<Rejection>> {
    if !tried.holds_tokens {
        let tokens = scene.policy.limits.expected_tokens(request.prompt_tokens, request.max_output_tokens);
        let reserved = scene.state.limits.reserve_tokens(request, tokens, &scene.policy.limits, turn.now);
        holds.tokens = Some(reserved.map_err(|over| Some(throttle::refused(over)))?);
    }
    Ok(())
}

fn ttl(request: &RouteRequest, policy: &Policy) -> Duration {
    request.lease_ttl.unwrap_or(policy.leases.ttl).min(policy.leases.ttl_max)
}

/// Leases end all the time: a tenth of their life is a fair time to come back.
fn exhausted(policy: &Policy) -> Rejection {
    let retry_delay = Some(policy.leases.ttl / 10);
    Rejection { reason: RejectionReason::LeasesExhausted, retry_delay }
}
