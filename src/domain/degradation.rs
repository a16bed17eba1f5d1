//! When is a pool too busy to give everybody everything, and what do some get instead?
//!
//! A pool is all nodes that serve one request type and model. The mean load of its live nodes puts it on a rung, with
//! hysteresis: entered at one load, left at a lower one. Free requests of low priority get less on [`Rung::Busy`], those
//! of normal priority too on [`Rung::Overloaded`]. Premium and high priority always go on.

use std::{sync::Arc, time::Duration};

use super::{
    decision::Rung,
    id::ModelName,
    node::RequestType,
    request::{Priority, RouteRequest, Tier},
};

/// When and how pools degrade.
#[derive(Debug, Clone, PartialEq)]
pub struct DegradationPolicy {
    /// For pools that no rule is for.
    pub thresholds: Thresholds,
    /// Shortest time after which a refused request is asked to come back.
    pub retry_min: Duration,
    /// Longest such time, also where the load does not fall at all. Up to half of it is added by chance, so that those
    /// who were refused together do not come back together.
    pub retry_max: Duration,
    /// Of the rules that match a pool the first counts. At most [`Self::POOLS_MAX`].
    pub pools: Vec<PoolRule>,
}

impl DegradationPolicy {
    /// Most rules: each request is compared with all of them.
    pub const POOLS_MAX: usize = 256;

    /// What holds for a request's pool.
    pub fn rule_for(&self, request_type: RequestType, model: &ModelName) -> Option<&PoolRule> {
        self.pools.iter().find(|rule| rule.matches(request_type, model))
    }

    /// The thresholds of a request's pool.
    pub fn thresholds_for(&self, request_type: RequestType, model: &ModelName) -> Thresholds {
        self.rule_for(request_type, model).map_or(self.thresholds, |rule| rule.thresholds)
    }
}

impl Default for DegradationPolicy {
    fn default() -> Self {
        Self {
            thresholds: Thresholds::default(),
            retry_min: Duration::from_secs(1),
            retry_max: Duration::from_secs(30),
            pools: Vec::new(),
        }
    }
}

/// What holds for some pools.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PoolRule {
    /// Request type that it is for; `None` means any.
    pub request_type: Option<RequestType>,
    /// Model that it is for; `None` means any.
    pub model: Option<ModelName>,
    /// When its rungs are entered and left.
    pub thresholds: Thresholds,
    /// Smaller model that takes the requests that get less, if it has a node for them.
    pub fallback_model: Option<ModelName>,
    /// What those are told that are refused; `None` means the usual.
    pub message: Option<Arc<str>>,
}

impl PoolRule {
    fn matches(&self, request_type: RequestType, model: &ModelName) -> bool {
        self.request_type.is_none_or(|wanted| wanted == request_type)
            && self.model.as_ref().is_none_or(|wanted| wanted == model)
    }
}

/// Loads, from 0 to 100 and a little more, at which a pool changes its rung.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Thresholds {
    /// Of [`Rung::Busy`].
    pub busy: Threshold,
    /// Of [`Rung::Overloaded`].
    pub overloaded: Threshold,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            busy: Threshold { enter: 80.0, leave: 70.0 },
            overloaded: Threshold { enter: 95.0, leave: 85.0 },
        }
    }
}

impl Thresholds {
    /// The rung of a pool that was on another (or the same) one. It is entered by the load that the pool has, and left by
    /// the load that it would have if it took what it turns away now: a pool that is well only because it turns half of
    /// its requests away would otherwise be back in a moment.
    pub fn rung(self, was: Rung, load: f64, demand: f64) -> Rung {
        if self.overloaded.holds(was >= Rung::Overloaded, load, demand) {
            Rung::Overloaded
        } else if self.busy.holds(was >= Rung::Busy, load, demand) {
            Rung::Busy
        } else {
            Rung::Normal
        }
    }
}

/// Loads at which a rung is entered and left: a load between the two changes nothing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Threshold {
    /// Entered at this load.
    pub enter: f64,
    /// Left below this one; not above `enter`.
    pub leave: f64,
}

impl Threshold {
    fn holds(self, held: bool, load: f64, demand: f64) -> bool {
        if held { demand >= self.leave } else { load >= self.enter }
    }
}

/// Whether a request gets less on this rung.
pub fn is_degraded(request: &RouteRequest, rung: Rung) -> bool {
    if request.tier == Tier::Premium {
        return false;
    }
    match request.priority {
        Priority::High => false,
        Priority::Normal => rung >= Rung::Overloaded,
        Priority::Low => rung >= Rung::Busy,
    }
}

/// Whether a request went to its pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It did, or was refused for a reason of its own.
    Taken,
    /// It got an old answer, a smaller model or nothing, because the pool is busy.
    TurnedAway,
    /// It needed none: its answer is known or on its way.
    Unneeded,
}

/// Names a pool.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PoolKey {
    /// What its nodes do.
    pub request_type: RequestType,
    /// The model that they serve.
    pub model: ModelName,
}

/// A pool at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Pool {
    /// Its name.
    pub key: PoolKey,
    /// Mean load of its live nodes.
    pub load: f64,
    /// The load that it would have if it took the requests that it turns away; the same where it turns none away.
    pub demand: f64,
    /// Live nodes in it.
    pub nodes: usize,
    /// Rung that its load has led to.
    pub rung: Rung,
}

#[cfg(test)]
mod tests;
