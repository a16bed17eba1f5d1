//! A refusal, as it is told: the reason for programs, and what to do about it for people.

use std::borrow::Cow;

use super::explanation::filter;
use crate::{
    domain::{
        decision::{Rejection, RejectionReason},
        filter::Filter,
        limit::{OverLimit, Unit},
    },
    proto, wire,
};

/// A refusal.
pub fn rejection(rejection: &Rejection) -> proto::Rejection {
    use proto::RejectionReason as Wire;
    let reason = match &rejection.reason {
        RejectionReason::NoNodes => Wire::NoNodes,
        RejectionReason::NoEligibleNode(_) => Wire::NoEligibleNode,
        RejectionReason::LeasesExhausted => Wire::LeasesExhausted,
        RejectionReason::OverLimit(_) => Wire::OverLimit,
        RejectionReason::Busy { .. } => Wire::Busy,
        RejectionReason::Saturated => Wire::Saturated,
        RejectionReason::Late => Wire::Late,
        RejectionReason::AnswerPending(_) => Wire::AnswerPending,
    };
    let emptied_by = match &rejection.reason {
        RejectionReason::NoEligibleNode(last) => filter(*last),
        _ => proto::Filter::Unspecified,
    };
    let over_limit = match &rejection.reason {
        RejectionReason::OverLimit(over) => Some(over_limit(over)),
        _ => None,
    };
    proto::Rejection {
        reason: reason.into(),
        message: message(&rejection.reason).into_owned(),
        retry_delay: rejection.retry_delay.map(wire::duration),
        emptied_by: emptied_by.into(),
        over_limit,
    }
}

fn over_limit(over: &OverLimit) -> proto::OverLimit {
    proto::OverLimit {
        rule: over.rule.to_string(),
        unit: unit(over.unit).into(),
        limit: i64::try_from(over.limit).unwrap_or(i64::MAX),
        remaining: i64::try_from(over.remaining).unwrap_or(i64::MAX),
        needed: over.needed.into(),
    }
}

/// What a limit counts.
pub fn unit(unit: Unit) -> proto::LimitUnit {
    match unit {
        Unit::Requests => proto::LimitUnit::Requests,
        Unit::Tokens => proto::LimitUnit::Tokens,
    }
}

fn message(reason: &RejectionReason) -> Cow<'static, str> {
    Cow::Borrowed(match reason {
        RejectionReason::NoNodes => {
            "no node is registered: start an agent, or list nodes in the configuration"
        }
        RejectionReason::LeasesExhausted => {
            "too many picks are in flight: report outcomes, or raise `policy.leases.live_max`"
        }
        RejectionReason::NoEligibleNode(filter) => emptied(*filter),
        RejectionReason::OverLimit(over) => return Cow::Owned(over_message(over)),
        RejectionReason::Busy { message: Some(message) } => return Cow::Owned(message.to_string()),
        RejectionReason::Busy { message: None } => "the fleet is busy: come back after `retry_delay`",
        RejectionReason::AnswerPending(_) => {
            "an identical request is on its way: its answer will serve this one"
        }
        RejectionReason::Late => {
            "no node is expected to give the first token in time: come back after `retry_delay`"
        }
        RejectionReason::Saturated => "every node that could take this is full, and none had room in time",
    })
}

fn over_message(over: &OverLimit) -> String {
    let unit = match over.unit {
        Unit::Requests => "requests",
        Unit::Tokens => "tokens",
    };
    let OverLimit { rule, per, limit, needed, .. } = over;
    match over.retry_delay {
        Some(_) => format!("over the limit `{rule}`: at most {limit} {unit} at once per {}", per.name()),
        None => {
            format!("{needed} {unit} can never fit into the limit `{rule}` of {limit} per {}", per.name())
        }
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
