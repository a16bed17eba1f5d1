//! What does a pick wait for?
//!
//! Picks that wait for the same thing stand in one line: when it may have come, one decision for the head of the line is
//! enough to know whether anyone in it can go on.

use std::time::Duration;

use crate::{
    api::queue::Attempt,
    domain::{
        decision::{Decision, Rejection, RejectionReason},
        degradation::PoolKey,
        id::{LimitName, ModelName, TenantId, UserId},
        limit::{LimitPolicy, LimitRule, OverLimit, Per, Unit},
        node::NodeClass,
        request::{RequestKey, RouteRequest, Tier},
    },
};

/// Where nothing foretells when a pick can go on, its line looks again at least so often. What frees a node of one pool for
/// another, and tokens that come back, is not told to every line.
const LOOK_AGAIN: Duration = Duration::from_millis(250);

/// What a pick waits for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Gate {
    /// A limit that admits it.
    Limit(LimitName, TenantId, Counted),
    /// A node with room.
    Room(PoolKey, NodeClass),
    /// The answer to this request, which is identical.
    Answer(RequestKey),
    /// A lease.
    Lease,
}

/// For whom a limit counts apart.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Counted {
    /// A user.
    User(Option<UserId>),
    /// The whole tenant.
    Tenant,
    /// A tier.
    Tier(Tier),
    /// A model.
    Model(ModelName),
}

impl Gate {
    /// Where there is room for the request.
    pub(super) fn room(request: &RouteRequest) -> Self {
        let pool = PoolKey { request_type: request.request_type, model: request.model.clone() };
        Self::Room(pool, request.class())
    }

    /// The gates at which the request would overtake those who wait there.
    pub(super) fn ahead<'a>(
        request: &'a RouteRequest,
        policy: &'a LimitPolicy,
    ) -> impl Iterator<Item = Self> + 'a {
        let rules = policy.rules.iter().filter(|rule| rule.matches(request));
        let limit = |rule: &LimitRule| Self::limit(&rule.name, rule.per, request);
        rules.map(limit).chain(std::iter::once_with(|| Self::room(request)))
    }

    fn limit(rule: &LimitName, per: Per, request: &RouteRequest) -> Self {
        let counted = match per {
            Per::User => Counted::User(request.user.clone()),
            Per::Tenant => Counted::Tenant,
            Per::Tier => Counted::Tier(request.tier),
            Per::Model => Counted::Model(request.model.clone()),
        };
        Self::Limit(rule.clone(), request.key.tenant.clone(), counted)
    }

    fn of(request: &RouteRequest, rejection: &Rejection) -> Self {
        match &rejection.reason {
            RejectionReason::OverLimit(OverLimit { rule, per, .. }) => Self::limit(rule, *per, request),
            RejectionReason::AnswerPending(leader) => Self::Answer(leader.request.clone()),
            RejectionReason::LeasesExhausted => Self::Lease,
            RejectionReason::NoNodes
            | RejectionReason::NoEligibleNode(_)
            | RejectionReason::Busy { .. }
            | RejectionReason::Late
            | RejectionReason::Saturated => Self::room(request),
        }
    }
}

/// Whether a decision is final for a request that may wait, and what it waits for if not.
pub(super) fn attempt(request: &RouteRequest, decision: Decision) -> Attempt<Gate, Decision> {
    match &decision.outcome {
        Err(rejection) if rejection.may_pass() => {
            let retry_at = rejection.retry_delay.map(|delay| {
                let delay = if is_foretold(&rejection.reason) { delay } else { delay.min(LOOK_AGAIN) };
                tokio::time::Instant::now() + delay
            });
            Attempt::Passing { gate: Gate::of(request, rejection), retry_at }
        }
        _ => Attempt::Final(decision),
    }
}

/// Whether the delay is when it passes, and nothing makes it pass earlier untold.
fn is_foretold(reason: &RejectionReason) -> bool {
    match reason {
        RejectionReason::OverLimit(over) => over.unit == Unit::Requests,
        RejectionReason::AnswerPending(_) => true,
        _ => false,
    }
}
