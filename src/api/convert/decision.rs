//! The decision, as it is told.

use super::{answer::cached, explanation::explanation, rejection::rejection};
use crate::{
    domain::{
        decision::{Decision, Granted, Route, Rung, Target},
        id::RequestId,
    },
    proto, wire,
};

/// The reply to a pick.
pub fn decision(request_id: &RequestId, decision: Decision) -> proto::PickNodeResponse {
    use proto::pick_node_response::Outcome;
    let outcome = match decision.outcome {
        Ok(Granted::Route(chosen)) => Outcome::Route(route(&chosen)),
        Ok(Granted::Answer(answer)) => Outcome::CachedAnswer(cached(answer)),
        Err(refused) => Outcome::Rejection(rejection(&refused)),
    };
    proto::PickNodeResponse {
        request_id: request_id.to_string(),
        outcome: Some(outcome),
        rung: rung(decision.rung).into(),
        explanation: decision.explanation.map(|why| explanation(*why)),
    }
}

fn route(route: &Route) -> proto::Route {
    let fallback = |target: &Target| proto::Fallback {
        node_id: target.node().to_owned(),
        endpoint: target.endpoint().to_owned(),
    };
    proto::Route {
        node_id: route.targets.best().node().to_owned(),
        endpoint: route.targets.best().endpoint().to_owned(),
        fallbacks: route.targets.fallbacks().iter().map(fallback).collect(),
        lease_id: route.lease.map(|lease| lease.id.to_string()).unwrap_or_default(),
        lease_ttl: route.lease.map(|lease| wire::duration(lease.ttl)),
        expected_first_token_latency: route.expected_first_token_latency.map(wire::duration),
        first_token_latency_target: Some(wire::duration(route.first_token_target)),
        spilled: route.spilled,
        repeated: route.repeated,
        model: route.model.to_string(),
        expected_cached_tokens: route.expected_cached_tokens.map(i64::from),
        policy: route.balance.name().to_owned(),
    }
}

/// A rung.
pub fn rung(rung: Rung) -> proto::Rung {
    match rung {
        Rung::Normal => proto::Rung::Normal,
        Rung::Busy => proto::Rung::Busy,
        Rung::Overloaded => proto::Rung::Overloaded,
        Rung::Frozen => proto::Rung::Frozen,
        Rung::Panic => proto::Rung::Panic,
    }
}
