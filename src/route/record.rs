//! Puts a choice into force: the only stage that writes.

use super::{Choice, Turn};
use crate::{
    domain::{
        decision::{Decision, Rejection, RejectionReason},
        policy::Policy,
        request::RouteRequest,
    },
    state::{State, leases::Reservation},
};

/// Reserves the picked node for the request, unless another pick of the same request was faster: then that one's
/// decision stands.
pub fn record(
    choice: Choice<'_>,
    request: &RouteRequest,
    state: &State,
    policy: &Policy,
    turn: &Turn,
) -> Decision {
    let (picked, route) = match choice.outcome {
        Ok((picked, route)) => (picked, route),
        Err(rejection) => {
            return Decision { outcome: Err(rejection), rung: choice.rung, explanation: choice.explanation };
        }
    };
    let reservation = Reservation {
        node: picked.node.clone(),
        request_type: request.request_type,
        trial: picked.trial,
        route,
        rung: choice.rung,
        ttl: request.lease_ttl.unwrap_or(policy.leases.ttl).min(policy.leases.ttl_max),
    };
    let granted = state.leases.grant(&request.key, &request.excluded, reservation, &policy.leases, turn.now);
    let (outcome, rung) = match granted {
        Ok((route, rung)) => (Ok(route), rung),
        Err(_exhausted) => (Err(exhausted(policy)), choice.rung),
    };
    Decision { outcome, rung, explanation: choice.explanation }
}

/// Leases end all the time: a tenth of their life is a fair time to come back.
fn exhausted(policy: &Policy) -> Rejection {
    let retry_delay = Some(policy.leases.ttl / 10);
    Rejection { reason: RejectionReason::LeasesExhausted, retry_delay }
}
