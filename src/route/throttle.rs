//! Is the caller over a limit?
//!
//! The one stage before `record` that writes: a limit that is asked and charged in two steps admits more than it should.
//! What a later stage refuses is given back.

use super::Turn;
use crate::{
    domain::{
        decision::{Decision, Rejection, RejectionReason},
        limit::{LimitVerdict, OverLimit, Unit},
        policy::Policy,
        request::RouteRequest,
    },
    state::{State, leases::Tried, limits::Admitted},
};

/// Takes one request of every limit of requests. A retry costs nothing: its first attempt has paid.
pub fn throttle(
    request: &RouteRequest,
    tried: Tried,
    state: &State,
    policy: &Policy,
    turn: &Turn,
) -> Result<Admitted, Rejection> {
    if tried.is_retry {
        return Ok(Admitted::default());
    }
    state.limits.admit_request(request, &policy.limits, turn.now).map_err(refused)
}

/// Gives back what the request took if it was refused after all: then it costs nothing.
pub fn keep_or_give_back(admitted: Admitted, decision: &Decision, state: &State, turn: &Turn) {
    if decision.outcome.is_err() {
        state.limits.give_back(admitted, turn.now);
    }
}

/// What every limit would say to the request. Changes nothing.
pub fn verdicts(request: &RouteRequest, state: &State, policy: &Policy, turn: &Turn) -> Vec<LimitVerdict> {
    let tokens = policy.limits.expected_tokens(request.prompt_tokens, request.max_output_tokens);
    state.limits.peek(request, tokens, &policy.limits, turn.now)
}

/// The refusal of the first limit that would refuse. A known answer takes no tokens, a retry nothing that its first attempt
/// has taken.
pub fn refusal(
    verdicts: &[LimitVerdict],
    request: &RouteRequest,
    takes_tokens: bool,
    state: &State,
) -> Option<Rejection> {
    let tried = state.leases.tried(&request.key);
    let counts = |verdict: &&LimitVerdict| match verdict.quota.unit() {
        Unit::Requests => !tried.is_retry,
        Unit::Tokens => takes_tokens && !tried.holds_tokens,
    };
    verdicts.iter().filter(counts).find_map(LimitVerdict::refusal).map(refused)
}

/// The rejection of a request over a limit.
pub fn refused(over: OverLimit) -> Rejection {
    Rejection { retry_delay: over.retry_delay, reason: RejectionReason::OverLimit(over) }
}
