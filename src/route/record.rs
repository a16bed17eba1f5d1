//! Puts a choice into force: the only stage that writes.

use super::{Choice, Turn};
use crate::{
    domain::{
        decision::{Decision, Rejection, RejectionReason},
        policy::Policy,
        request::RouteRequest,
    },
    state::{
        State,
        leases::{GrantError, Reservation},
    },
};

/// Reserves the picked node for the request, unless another pick of the same request was faster: then that one's
/// decision stands. `None` where another request was faster to try a half-open node: then choose again.
pub fn record(
    choice: Choice<'_>,
    request: &RouteRequest,
    state: &State,
    policy: &Policy,
    turn: &Turn,
) -> Option<Decision> {
    let Choice { outcome, rung, explanation } = choice;
    let (picked, route) = match outcome {
        Ok(picked) => picked,
        Err(rejection) => {
            state.leases.leave(request, turn.now);
            return Some(Decision { outcome: Err(rejection), rung, explanation });
        }
    };
    let reservation = Reservation {
        node: picked.node.clone(),
        trial: picked.trial,
        route,
        rung,
        ttl: request.lease_ttl.unwrap_or(policy.leases.ttl).min(policy.leases.ttl_max),
    };
    match state.leases.grant(request, reservation, policy, turn.now) {
        Ok((route, rung)) => Some(Decision { outcome: Ok(route), rung, explanation }),
        Err(GrantError::Exhausted) => Some(Decision { outcome: Err(exhausted(policy)), rung, explanation }),
        Err(GrantError::TrialTaken) => None,
    }
}

/// Leases end all the time: a tenth of their life is a fair time to come back.
fn exhausted(policy: &Policy) -> Rejection {
    let retry_delay = Some(policy.leases.ttl / 10);
    Rejection { reason: RejectionReason::LeasesExhausted, retry_delay }
}
