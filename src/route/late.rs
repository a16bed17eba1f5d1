//! Is it too late for this request, wherever it goes?
//!
//! Above saturation every request that is admitted too late makes others late, and in the end all are. Refusing what cannot
//! be in time anyway keeps nearly all others in time. Who is refused first: low priority, which can come another time; then
//! free requests, the earlier the more was refused lately; and the more work a request is, for in its place many small
//! ones are in time. Never on missing data, and never on an idle fleet.

use std::time::Duration;

use super::{reject, score::cost::Market};
use crate::domain::{
    decision::Rejection,
    explanation::CostTerms,
    policy::{CostPolicy, Refusal},
    request::{Priority, RouteRequest, Tier},
};

/// A fleet less busy than this refuses nothing.
const BUSY_MIN: f64 = 0.3;
/// Nor does a node with less before it, in ms.
const WAIT_MIN_MS: f64 = 200.0;
/// The strain is full when this share of requests is refused.
const REFUSED_FULL: f64 = 0.3;
/// Under full strain a free request's margin is smaller by this share.
const FREE_TIGHTENING: f64 = 0.7;
/// Under full strain a request's own work beyond this, in ms, counts twice.
const HEAVY_MS: f64 = 500.0;
/// Requests of low priority do not wait longer than this, in ms.
const LOW_WAIT_MS: f64 = 1000.0;
/// Nobody is asked to stay away for longer.
const AGAIN_MAX: Duration = Duration::from_mins(1);

/// The rejection of a request that no node is expected to serve in time, where the policy wants that.
pub fn late(
    request: &RouteRequest,
    terms: impl Iterator<Item = Option<CostTerms>>,
    market: &Market,
    policy: &CostPolicy,
) -> Option<Rejection> {
    if policy.refuse_late == Refusal::Never || market.busy() < BUSY_MIN {
        return None;
    }
    let first = foremost(request, terms)?;
    let over_ms = first.first_token_ms() - limit_ms(request, &first, market, policy);
    let is_late = over_ms > 0.0 && first.wait >= WAIT_MIN_MS;
    is_late.then(|| {
        // A node that says it is all but standing still makes it years.
        let over = Duration::try_from_secs_f64(over_ms / 1000.0).unwrap_or(Duration::MAX);
        reject::late(over.min(AGAIN_MAX))
    })
}

/// What the request would get: on the node that costs least. A request of low priority is refused only where none at all
/// would take it soon, for it has no claim on the best. `None` where costs are not known.
fn foremost(request: &RouteRequest, terms: impl Iterator<Item = Option<CostTerms>>) -> Option<CostTerms> {
    let by: fn(CostTerms) -> f64 =
        if request.priority == Priority::Low { CostTerms::first_token_ms } else { CostTerms::total };
    let terms = terms.collect::<Option<Vec<_>>>()?;
    terms.into_iter().min_by(|a, b| by(*a).total_cmp(&by(*b)))
}

/// Time to the first token that is still admitted.
fn limit_ms(request: &RouteRequest, first: &CostTerms, market: &Market, policy: &CostPolicy) -> f64 {
    let strain = (market.refused() / REFUSED_FULL).min(1.0);
    let target = policy.refuse_margin * market.target_ms();
    let admitted = match (request.tier, request.priority) {
        (Tier::Free, Priority::Low) => target.min(LOW_WAIT_MS + first.own),
        (Tier::Free, _) => target * (1.0 - FREE_TIGHTENING * strain),
        (Tier::Premium, _) => target,
    };
    admitted - strain * (first.own - HEAVY_MS).max(0.0)
}

#[cfg(test)]
mod tests;
