//! Is it too late for this request, wherever it goes?
//!
//! Above saturation every request that is admitted too late makes others late, and in the end all are. Refusing what cannot
//! be in time anyway keeps nearly all others in time. Lower tiers are refused earlier: what they would wait for is what
//! the higher ones need. The more was refused lately, the less is admitted, so that those who are in keep their time.
//! Never on missing data, and never on an idle fleet.

use std::time::Duration;

use super::{reject, score::cost::Market};
use crate::domain::{
    decision::Rejection,
    explanation::Score,
    policy::{CostPolicy, Refusal},
    request::{Priority, RouteRequest, Tier},
};

/// A fleet less busy than this refuses nothing.
const BUSY_MIN: f64 = 0.3;
/// Nor does a node with less before it, in ms.
const WAIT_MIN_MS: f64 = 200.0;
/// The margin shrinks by up to this share of it...
const TIGHTENING: f64 = 0.3;
/// ...which it reaches when this share of requests is refused.
const REFUSED_FULL: f64 = 0.3;
/// Requests of low priority do not wait longer than this, in ms: they can come another time.
const LOW_WAIT_MS: f64 = 1000.0;

/// The rejection of a request that no node is expected to serve in time, where the policy wants that.
pub fn late(request: &RouteRequest, best: &Score, market: &Market, policy: &CostPolicy) -> Option<Rejection> {
    let terms = best.terms.filter(|_| policy.refuse_late == Refusal::Late)?;
    if market.busy() < BUSY_MIN || terms.wait < WAIT_MIN_MS {
        return None;
    }
    let tightened = TIGHTENING * (market.refused() / REFUSED_FULL).min(1.0);
    let margin = policy.refuse_margin * (1.0 - tightened);
    let limit = match (request.tier, request.priority) {
        (Tier::Free, Priority::Low) => market.target_ms().min(LOW_WAIT_MS + terms.own),
        _ => margin * market.target_ms(),
    };
    let over_ms = terms.first_token_ms() - limit;
    (over_ms > 0.0).then(|| reject::late(Duration::from_secs_f64(over_ms / 1000.0)))
}
