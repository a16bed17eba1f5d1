//! The decision, as it is told.

use crate::{
    domain::{
        decision::{Decision, Rejection, RejectionReason, Route, Rung, Target},
        explanation::{Explanation, Score, Verdict},
        filter::Filter,
        id::{NodeId, RequestId},
    },
    proto, wire,
};

/// The reply to a pick.
pub fn decision(request_id: &RequestId, decision: Decision) -> proto::PickNodeResponse {
    use proto::pick_node_response::Outcome;
    let outcome = match decision.outcome {
        Ok(chosen) => Outcome::Route(route(chosen)),
        Err(refused) => Outcome::Rejection(rejection(&refused)),
    };
    proto::PickNodeResponse {
        request_id: request_id.to_string(),
        outcome: Some(outcome),
        rung: rung(decision.rung).into(),
        explanation: decision.explanation.map(explanation),
    }
}

fn route(route: Route) -> proto::Route {
    let fallback =
        |t: Target| proto::Fallback { node_id: t.node.to_string(), endpoint: t.endpoint.to_string() };
    proto::Route {
        node_id: route.target.node.to_string(),
        endpoint: route.target.endpoint.to_string(),
        fallbacks: route.fallbacks.into_iter().map(fallback).collect(),
        lease_id: route.lease.map(|lease| lease.id.to_string()).unwrap_or_default(),
        lease_ttl: route.lease.map(|lease| wire::duration(lease.ttl)),
        expected_first_token_latency: route.expected_first_token_latency.map(wire::duration),
        first_token_latency_target: Some(wire::duration(route.first_token_target)),
        spilled: route.spilled,
        repeated: route.repeated,
    }
}

fn rejection(rejection: &Rejection) -> proto::Rejection {
    use proto::RejectionReason as Wire;
    let (reason, emptied_by) = match rejection.reason {
        RejectionReason::NoNodes => (Wire::NoNodes, proto::Filter::Unspecified),
        RejectionReason::NoEligibleNode(last) => (Wire::NoEligibleNode, filter(last)),
        RejectionReason::LeasesExhausted => (Wire::LeasesExhausted, proto::Filter::Unspecified),
    };
    proto::Rejection {
        reason: reason.into(),
        message: message(rejection.reason).to_owned(),
        retry_delay: rejection.retry_delay.map(wire::duration),
        emptied_by: emptied_by.into(),
    }
}

fn message(reason: RejectionReason) -> &'static str {
    match reason {
        RejectionReason::NoNodes => {
            "no node is registered: start an agent, or list nodes in the configuration"
        }
        RejectionReason::LeasesExhausted => {
            "too many picks are in flight: report outcomes, or raise `policy.leases.live_max`"
        }
        RejectionReason::NoEligibleNode(filter) => emptied(filter),
    }
}

fn emptied(filter: Filter) -> &'static str {
    match filter {
        Filter::RequestType => "no node has an endpoint for this request type",
        Filter::Model => "no node of this request type serves this model",
        Filter::ModelVersion => "no node of this request type serves this version of the model",
        Filter::Class => {
            "no node that serves this is of the request's class: add one, or let requests spill (`policy.spill`)"
        }
        Filter::Excluded => "every node that could take this was excluded by the caller",
        Filter::Drain => "every node that could take this is draining",
        Filter::Breaker => "every node that could take this is ejected after failures, or being tried",
        Filter::Freshness => "no node that could take this gives a sign of life",
    }
}

fn dropped(filter: Filter) -> &'static str {
    match filter {
        Filter::RequestType => "has no endpoint for the request type",
        Filter::Model => "does not serve the model",
        Filter::ModelVersion => "does not serve this version of the model",
        Filter::Class => "is of the other class",
        Filter::Excluded => "was excluded by the caller",
        Filter::Drain => "is draining",
        Filter::Breaker => "is ejected after failures, or being tried",
        Filter::Freshness => "gave no sign of life in time",
    }
}

fn filter(filter: Filter) -> proto::Filter {
    match filter {
        Filter::RequestType => proto::Filter::RequestType,
        Filter::Model => proto::Filter::Model,
        Filter::ModelVersion => proto::Filter::ModelVersion,
        Filter::Class => proto::Filter::NodeClass,
        Filter::Excluded => proto::Filter::Excluded,
        Filter::Drain => proto::Filter::Drain,
        Filter::Breaker => proto::Filter::Breaker,
        Filter::Freshness => proto::Filter::Freshness,
    }
}

fn rung(rung: Rung) -> proto::Rung {
    match rung {
        Rung::Normal => proto::Rung::Normal,
        Rung::Frozen => proto::Rung::Frozen,
        Rung::Panic => proto::Rung::Panic,
    }
}

fn explanation(explanation: Explanation) -> proto::Explanation {
    proto::Explanation {
        balance: explanation.balance.to_owned(),
        node_class: wire::class(explanation.class).into(),
        topology_revision: explanation.revision.cast_signed(),
        nodes: explanation.nodes.into_iter().map(|(id, verdict)| node_verdict(&id, &verdict)).collect(),
    }
}

fn node_verdict(id: &NodeId, verdict: &Verdict) -> proto::NodeVerdict {
    use proto::node_verdict::Verdict as Wire;
    let verdict = match verdict {
        Verdict::Dropped(by) => {
            Wire::Drop(proto::Drop { filter: filter(*by).into(), message: dropped(*by).to_owned() })
        }
        Verdict::Scored(numbers, rank) => Wire::Score(score(numbers, *rank)),
    };
    proto::NodeVerdict { node_id: id.to_string(), verdict: Some(verdict) }
}

fn score(score: &Score, rank: usize) -> proto::Score {
    proto::Score {
        cost: score.cost,
        rank: i32::try_from(rank).unwrap_or(i32::MAX),
        load: score.load.total(),
        cpu_term: score.load.cpu,
        memory_term: score.load.memory,
        queue_term: score.load.queue,
        failure_term: score.load.failures,
        queued_request_count: score.queued.into(),
        in_flight_request_count: score.in_flight.into(),
        slow_start_ratio: score.slow_start,
    }
}
