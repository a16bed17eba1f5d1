//! Is the pool too busy to give this request all that it asks for, and what does it get instead?
//!
//! Looked at anew with each request, from the load that decisions are made by: there is no timer between a load that falls
//! and the service that is back to normal.

use super::{Scene, Turn, reject, reuse::Known, view::Boards};
use crate::domain::{
    answer::Answer,
    decision::{Rejection, RejectionReason, Rung},
    degradation::{Fate, Pool, PoolKey, PoolRule, is_degraded},
    id::ModelName,
    request::{Patience, RouteRequest},
    time::{Chance, Instant},
};

/// Refused requests come back within the next so many parts of their delay, not all at once.
const RETRY_SPREAD: f64 = 0.5;

/// What a request gets.
#[derive(Debug, Clone, PartialEq)]
pub enum Course {
    /// All that it asks for.
    Full,
    /// An answer that is known already.
    Known(Answer),
    /// The answer of a smaller model; or, if no node of that takes it, a refusal.
    Smaller(ModelName, Rejection),
    /// Nothing: come back later.
    Refused(Rejection),
}

impl Course {
    /// Whether the request goes to its pool.
    pub fn fate(&self, known: &Known) -> Fate {
        match self {
            Self::Full => Fate::Taken,
            Self::Known(_) if !matches!(known, Known::Stale(..)) => Fate::Unneeded,
            Self::Refused(rejection) if !matches!(rejection.reason, RejectionReason::Busy { .. }) => {
                Fate::Unneeded
            }
            Self::Smaller(..) | Self::Known(_) | Self::Refused(_) => Fate::TurnedAway,
        }
    }
}

/// How busy the request's pool is, by its boards; `None` where no live node serves it.
///
/// Its load is the mean over the live nodes that tell theirs, or over all where none does: a node that says nothing is
/// not idle.
pub fn survey(request: &RouteRequest, boards: &Boards<'_>, scene: Scene<'_>, now: Instant) -> Option<Pool> {
    let Scene { state, policy, .. } = scene;
    let [high, normal] = boards.glances().map(|glance| &glance.census);
    let (told, untold) = (high.told.and(normal.told), high.untold.and(normal.untold));
    let load = told.mean().or(untold.mean())?;
    let nodes = told.count + untold.count;
    let key = PoolKey { request_type: request.request_type, model: request.model.clone() };
    let known = state.pools.get(&key);
    let was = known.map_or(Rung::Normal, |pool| pool.rung);
    let demand = known.map_or(load, |pool| pool.demand(load, now));
    let thresholds = policy.degradation.thresholds_for(key.request_type, &key.model);
    Some(Pool { rung: thresholds.rung(was, load, demand), key, load, demand, nodes })
}

/// What the request gets: a known answer before all; of a busy pool an old answer before a smaller model's, that before
/// none. A smaller model that is busy itself is no help. Whoever may wait for the answer to an identical request costs
/// the pool nothing.
pub fn degrade(
    request: &RouteRequest,
    known: &Known,
    pool: Option<&Pool>,
    scene: Scene<'_>,
    turn: &mut Turn,
) -> Course {
    let degradation = &scene.policy.degradation;
    let busy_pool = pool.filter(|pool| is_degraded(request, pool.rung));
    match (known, busy_pool) {
        (Known::Fresh(answer), _) | (Known::Stale(answer, _), Some(_)) => {
            return Course::Known(answer.clone());
        }
        _ => {}
    }
    if let Some(leader) = known.leader().filter(|_| request.patience == Patience::Waits) {
        return Course::Refused(reject::pending(leader.clone(), turn.now));
    }
    let Some(pool) = busy_pool else { return Course::Full };
    let rule = degradation.rule_for(request.request_type, &request.model);
    let refusal = busy(pool, rule, scene, turn);
    let Some(model) = rule.and_then(|rule| rule.fallback_model.clone()) else {
        return Course::Refused(refusal);
    };
    let smaller = request.with_model(model.clone());
    let is_busy = |pool: Pool| is_degraded(request, pool.rung);
    if survey(&smaller, &Boards::of(&smaller, scene, turn.now), scene, turn.now).is_none_or(is_busy) {
        return Course::Refused(refusal);
    }
    Course::Smaller(model, refusal)
}

/// The refusal, with the time that the load will take to fall, as far as that can be told.
fn busy(pool: &Pool, rule: Option<&PoolRule>, scene: Scene<'_>, turn: &mut Turn) -> Rejection {
    let degradation = &scene.policy.degradation;
    let thresholds = rule.map_or(degradation.thresholds, |rule| rule.thresholds);
    let known = scene.state.pools.get(&pool.key);
    let falls = known.and_then(|known| known.drain.time_to(thresholds.busy.leave, turn.now));
    let delay = falls.unwrap_or(degradation.retry_max).clamp(degradation.retry_min, degradation.retry_max);
    let reason = RejectionReason::Busy { message: rule.and_then(|rule| rule.message.clone()) };
    Rejection { reason, retry_delay: Some(delay.mul_f64(1.0 + spread(&mut turn.chance))) }
}

fn spread(chance: &mut Chance) -> f64 {
    RETRY_SPREAD * chance.f64()
}
