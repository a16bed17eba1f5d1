//! What is answered.

use serde_json::{Value, json};

use super::{super::decider, fields::Refused};
use crate::domain::decision::{Rejection, RejectionReason, Route};

/// It is done.
pub(super) fn ok() -> Value {
    json!({ "ok": true })
}

/// The line was not taken.
pub(super) fn refused(bad: &Refused) -> Value {
    match &bad.field {
        Some(field) => json!({ "ok": false, "error": format!("`{field}` {}", bad.problem), "field": field }),
        None => json!({ "ok": false, "error": bad.problem }),
    }
}

/// The request goes to a node, by the name that came.
pub(super) fn picked(route: &Route, node: &Value) -> Value {
    let expected_ms = route.expected_first_token_latency.map(|latency| latency.as_secs_f64() * 1000.0);
    json!({
        "node": node,
        "ticket": decider::ticket(route),
        "expected_hit_tokens": route.expected_cached_tokens.unwrap_or(0),
        "expected_ttft_ms": expected_ms,
        "policy": route.balance.name(),
    })
}

/// The request is refused.
pub(super) fn rejected(rejection: &Rejection) -> Value {
    let delay_ms = rejection.retry_delay.map(|delay| delay.as_secs_f64() * 1000.0);
    let reason = match rejection.reason {
        RejectionReason::Late => "late",
        RejectionReason::NoNodes | RejectionReason::NoEligibleNode(_) => "no_node",
        _ => "other",
    };
    json!({ "refuse": true, "retry_after_ms": delay_ms, "reason": reason })
}
