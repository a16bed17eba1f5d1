//! How a request went, and what that changed.

use std::time::Duration;

use super::{Checks, Invalid, count, duration, known, lease_id, present, request::request_key};
use crate::{
    domain::{
        outcome::{Outcome, OutcomeResult, OutcomeTokens, Settlement},
        request::RouteRequest,
    },
    proto,
};

/// The longest latency that an outcome may tell.
const LATENCY_MAX: Duration = Duration::from_hours(24);

/// Checks an outcome.
pub fn outcome(told: &proto::ReportOutcomeRequest) -> Result<Outcome, Invalid> {
    let mut checks = Checks::new();
    let key = request_key(&mut checks, &told.tenant, &told.request_id);
    let lease = checks.check_present("lease_id", present(&told.lease_id), lease_id);
    let result = checks.check("result", result(told.result));
    let latency = |value| duration(value, Duration::ZERO, LATENCY_MAX);
    let first_token_latency = checks.check_present("first_token_latency", told.first_token_latency, latency);
    let total_latency = checks.check_present("total_latency", told.total_latency, latency);
    let tokens = |value| count(value, RouteRequest::MAX_TOKENS);
    let tokens = OutcomeTokens {
        input: checks.check_present("input_tokens", told.input_tokens, tokens),
        output: checks.check_present("output_tokens", told.output_tokens, tokens),
        cached: checks.check_present("cached_tokens", told.cached_tokens, tokens),
    };
    let outcome =
        (|| Some(Outcome { key: key?, lease, result: result?, first_token_latency, total_latency, tokens }))(
        );
    checks.finish(outcome)
}

fn result(value: i32) -> Result<OutcomeResult, String> {
    use proto::OutcomeResult as Wire;
    known(Wire::try_from(value), |wire| match wire {
        Wire::Unspecified => None,
        Wire::Ok => Some(OutcomeResult::Ok),
        Wire::Failed => Some(OutcomeResult::Failed),
        Wire::Timeout => Some(OutcomeResult::Timeout),
        Wire::Overloaded => Some(OutcomeResult::Overloaded),
        Wire::Cancelled => Some(OutcomeResult::Cancelled),
        Wire::Running => Some(OutcomeResult::Running),
    })
}

/// What the outcome changed, as it is told.
pub fn settlement(settlement: Settlement) -> proto::ReportOutcomeResponse {
    use proto::OutcomeStatus as Wire;
    let (status, node) = match settlement {
        Settlement::Settled(node) => (Wire::Settled, Some(node)),
        Settlement::Renewed(node) => (Wire::Renewed, Some(node)),
        Settlement::AlreadySettled(node) => (Wire::AlreadySettled, Some(node)),
        Settlement::Late(node) => (Wire::Late, Some(node)),
        Settlement::Unknown => (Wire::Unknown, None),
    };
    let node_id = node.map(|node| node.to_string()).unwrap_or_default();
    proto::ReportOutcomeResponse { status: status.into(), node_id }
}
