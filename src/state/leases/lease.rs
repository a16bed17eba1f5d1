//! One request's picks, and where each stands.

use std::{sync::Arc, time::Duration};

use super::{Served, Tried};
use crate::{
    domain::{
        decision::{Route, Rung},
        degradation::PoolKey,
        id::{LeaseId, ModelName},
        node::{NodeClass, RequestType},
        outcome::{Outcome, OutcomeResult},
        request::RouteRequest,
        time::Instant,
    },
    state::{
        answers::Leadership,
        limits::Reservation as TokenReservation,
        nodes::{breaker::Signal, flight::Charge, node::Node, vitals::Observation},
    },
};

/// Most ended attempts of one request that are remembered beside its latest.
const ATTEMPTS_REMEMBERED: usize = 8;

/// The picks of one request: the latest, and those that a retry left behind.
#[derive(Debug)]
pub(super) struct Attempts {
    pub(super) latest: Lease,
    pub(super) earlier: Vec<Lease>,
    pub(super) holds: Holds,
}

/// What a request holds from its first pick until its answer. Handed from attempt to attempt.
#[derive(Debug, Default)]
pub struct Holds {
    /// What it has reserved of limits of tokens: a retry reserves nothing more.
    pub tokens: Option<TokenReservation>,
    /// The right to be waited for by identical requests.
    pub leadership: Option<Leadership>,
}

impl Holds {
    /// Adds what a new attempt has got: a newer leadership, and tokens where there were none.
    pub(super) fn add(&mut self, new: &mut Self) {
        self.leadership = new.leadership.take().or(self.leadership);
        if self.tokens.is_none() {
            self.tokens = new.tokens.take();
        }
    }
}

/// One pick.
#[derive(Debug)]
pub(super) struct Lease {
    pub(super) id: LeaseId,
    pub(super) node: Arc<Node>,
    pub(super) request_type: RequestType,
    pub(super) model: ModelName,
    pub(super) class: NodeClass,
    /// What was told, while it lives: then it can be told again.
    pub(super) route: Option<Arc<Route>>,
    pub(super) rung: Rung,
    pub(super) charge: Charge,
    pub(super) expected_blocks: u32,
    pub(super) ttl: Duration,
    pub(super) picked: Instant,
    pub(super) phase: Phase,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// In flight until this moment.
    Live { expires: Instant },
    /// No longer in flight, its outcome not told.
    Released { at: Instant },
    /// Its outcome is told.
    Settled { at: Instant, well: bool },
}

impl Attempts {
    pub(super) fn tried(&self) -> Tried {
        let went_well = matches!(self.latest.phase, Phase::Settled { well: true, .. });
        Tried { is_retry: !went_well, holds_tokens: self.holds.tokens.is_some() }
    }

    pub(super) fn find(&mut self, id: Option<LeaseId>) -> Option<&mut Lease> {
        let Some(id) = id else { return Some(&mut self.latest) };
        std::iter::once(&mut self.latest).chain(&mut self.earlier).find(|lease| lease.id == id)
    }

    pub(super) fn supersede(&mut self, lease: Lease) {
        if self.earlier.len() >= ATTEMPTS_REMEMBERED {
            self.earlier.remove(0);
        }
        self.earlier.push(std::mem::replace(&mut self.latest, lease));
    }
}

impl Lease {
    pub(super) fn recall(&self, request: &RouteRequest, now: Instant) -> Option<(Arc<Route>, Rung)> {
        let live = matches!(self.phase, Phase::Live { .. }) && !self.has_expired(now);
        let same = self.request_type == request.request_type && self.model == request.model;
        if !live || !same || request.excluded.contains(&self.node.spec.id) {
            return None;
        }
        let told = Route::clone(self.route.as_ref()?);
        Some((Arc::new(Route { repeated: true, ..told }), self.rung))
    }

    pub(super) fn pool(&self) -> (PoolKey, NodeClass) {
        (PoolKey { request_type: self.request_type, model: self.model.clone() }, self.class)
    }

    pub(super) fn served(&self) -> Served {
        Served {
            node: Arc::clone(&self.node),
            pool: self.pool().0,
            expected_blocks: self.expected_blocks,
            has_begun: false,
        }
    }

    pub(super) fn has_expired(&self, now: Instant) -> bool {
        matches!(self.phase, Phase::Live { expires } if now >= expires)
    }

    pub(super) fn is_remembered(&self, remember: Duration, now: Instant) -> bool {
        match self.phase {
            Phase::Live { .. } => true,
            Phase::Released { at } | Phase::Settled { at, .. } => now.since(at) < remember,
        }
    }

    pub(super) fn observation(&self, outcome: &Outcome, now: Instant) -> Observation {
        let signal = match outcome.result {
            OutcomeResult::Ok | OutcomeResult::Running => Some(Signal::Good),
            OutcomeResult::Failed | OutcomeResult::Timeout => Some(Signal::Bad),
            OutcomeResult::Overloaded => Some(Signal::Overloaded),
            OutcomeResult::Cancelled => None,
        };
        let ended = outcome.result != OutcomeResult::Running;
        let took = outcome.total_latency.unwrap_or_else(|| now.since(self.picked));
        Observation {
            signal,
            request_type: self.request_type,
            picked: self.picked,
            first_token_latency: outcome.first_token_latency,
            latency: (ended && signal.is_some()).then_some(took),
            sample: None,
        }
    }
}
