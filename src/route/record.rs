//! Puts a choice into force: the only stage that writes, but for the limits of requests.

use super::{Choice, Picked, Turn, throttle};
use crate::{
    domain::{
        decision::{Decision, Rejection, RejectionReason, Route, Rung},
        policy::Policy,
        request::RouteRequest,
    },
    state::{
        State,
        leases::{GrantError, Reservation},
        limits::Reservation as TokenReservation,
    },
};

/// Reserves the picked node and the expected tokens for the request, unless another pick of the same request was faster:
/// then that one's decision stands. `None` where another request was faster to try a half-open node: then choose again.
pub fn record(
    choice: Choice<'_>,
    request: &RouteRequest,
    state: &State,
    policy: &Policy,
    turn: &Turn,
) -> Option<Decision> {
    let Choice { outcome, rung, pool, explanation } = choice;
    let granted = match outcome {
        Ok(picked) => grant(picked, rung, request, state, policy, turn)?,
        Err(rejection) => Err(rejection),
    };
    if granted.is_err() {
        state.leases.leave(request, turn.now);
    }
    let turned = pool.filter(|pool| state.pools.observe(pool, turn.now).is_some());
    let rung = granted.as_ref().map_or(rung, |(_, rung)| *rung);
    Some(Decision { outcome: granted.map(|(route, _)| route), rung, explanation, turned })
}

fn grant(
    picked: Picked<'_>,
    rung: Rung,
    request: &RouteRequest,
    state: &State,
    policy: &Policy,
    turn: &Turn,
) -> Option<Result<(Route, Rung), Rejection>> {
    let mut tokens = match reserve_tokens(request, state, policy, turn) {
        Ok(tokens) => tokens,
        Err(rejection) => return Some(Err(rejection)),
    };
    let reservation = Reservation {
        node: picked.candidate.node.clone(),
        trial: picked.candidate.trial,
        route: picked.route,
        rung,
        ttl: request.lease_ttl.unwrap_or(policy.leases.ttl).min(policy.leases.ttl_max),
    };
    let granted = state.leases.grant(request, reservation, &mut tokens, policy, turn.now);
    if let Some(unneeded) = tokens {
        state.limits.cancel(unneeded, turn.now);
    }
    match granted {
        Ok(granted) => Some(Ok(granted)),
        Err(GrantError::Exhausted) => Some(Err(exhausted(policy))),
        Err(GrantError::TrialTaken) => None,
    }
}

/// Tokens are reserved before they are used: a limit that is charged only afterwards lets any number of requests in at
/// once. `None` where an earlier attempt holds them.
fn reserve_tokens(
    request: &RouteRequest,
    state: &State,
    policy: &Policy,
    turn: &Turn,
) -> Result<Option<TokenReservation>, Rejection> {
    if state.leases.holds_tokens(&request.key) {
        return Ok(None);
    }
    let tokens = policy.limits.expected_tokens(request.prompt_tokens, request.max_output_tokens);
    let reserved = state.limits.reserve_tokens(request, tokens, &policy.limits, turn.now);
    reserved.map(Some).map_err(throttle::refused)
}

/// Leases end all the time: a tenth of their life is a fair time to come back.
fn exhausted(policy: &Policy) -> Rejection {
    let retry_delay = Some(policy.leases.ttl / 10);
    Rejection { reason: RejectionReason::LeasesExhausted, retry_delay }
}
