//! One request's picks, and where each stands.

use std::{sync::Arc, time::Duration};

use super::{
    Served, Tried,
    told::{Short, Told},
};
use crate::{
    domain::{
        decision::{LeaseGrant, Route, Rung},
        degradation::PoolKey,
        digest::Digest,
        id::{LeaseId, ModelName},
        node::{NodeClass, RequestType},
        outcome::{Outcome, OutcomeResult},
        request::RouteRequest,
        time::Instant,
    },
    state::{
        answers::Leadership,
        limits::Reservation as TokenReservation,
        nodes::{Topology, breaker::Signal, flight::Charge, node::Node, vitals::Observation},
    },
};

/// Most ended attempts of one request that are remembered beside its latest.
const ATTEMPTS_REMEMBERED: usize = 8;

/// A request in the table: small, for a sweep looks at all of them.
#[derive(Debug)]
pub(super) struct Entry {
    /// When its time is over: its lease's, or else that for which it is remembered, by the policy when it ended.
    due: Instant,
    /// Boxed: when a part of the table grows, all of it is moved, while picks wait.
    pub(super) attempts: Box<Attempts>,
}

/// The picks of one request: the latest, and those that a retry left behind.
///
/// In one piece: it is far away in memory by the time it ends.
#[derive(Debug)]
pub(super) struct Attempts {
    pub(super) latest: Lease,
    holds: Holds,
    earlier: Vec<Lease>,
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
    pub(super) told: Option<Told>,
    pub(super) rung: Rung,
    pub(super) charge: Charge,
    pub(super) expected_blocks: u32,
    pub(super) ttl: Short,
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

impl Entry {
    pub(super) fn new(lease: Lease, holds: &mut Holds, remember: Duration) -> Self {
        let mut attempts = Attempts { latest: lease, holds: Holds::default(), earlier: Vec::new() };
        attempts.hold(holds);
        Self { due: attempts.latest.due(remember), attempts: Box::new(attempts) }
    }

    /// Something has happened to the latest pick.
    pub(super) fn changed(&mut self, remember: Duration) {
        self.due = self.attempts.latest.due(remember);
    }

    pub(super) fn is_due(&self, now: Instant) -> bool {
        now >= self.due
    }
}

impl Attempts {
    pub(super) fn tried(&self, key: Digest) -> Tried {
        let went_well = matches!(self.latest.phase, Phase::Settled { well: true, .. });
        Tried { key, is_retry: !went_well, holds_tokens: self.holds.tokens.is_some() }
    }

    /// Whether the latest pick has ended.
    pub(super) fn is_over(&self) -> bool {
        !matches!(self.latest.phase, Phase::Live { .. })
    }

    /// Takes what a new attempt has got.
    pub(super) fn hold(&mut self, new: &mut Holds) {
        self.holds.add(new);
    }

    /// Gives away what the request holds.
    pub(super) fn let_go(&mut self) -> Holds {
        std::mem::take(&mut self.holds)
    }

    /// Until when the latest pick lasts, and the leadership that goes with it.
    pub(super) fn led_until(&self) -> Option<(Leadership, Instant)> {
        let Phase::Live { expires } = self.latest.phase else { return None };
        Some((self.holds.leadership?, expires))
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
    /// What was told of the pick, if it is one for this request and the lease lives.
    pub(super) fn recall(
        &self,
        request: &RouteRequest,
        topology: &Topology,
        now: Instant,
    ) -> Option<(Box<Route>, Rung)> {
        let live = matches!(self.phase, Phase::Live { .. }) && !self.has_expired(now);
        let same = self.request_type == request.request_type && self.model == request.model;
        if !live || !same || request.excluded.contains(&self.node.spec.id) {
            return None;
        }
        let lease = LeaseGrant { id: self.id, ttl: self.ttl.duration() };
        // It may have registered anew, at another endpoint.
        let node = topology.node(self.node.live.number).unwrap_or(&self.node);
        let route = self.told.as_ref()?.again((node, self.request_type), topology, lease)?;
        Some((Box::new(route), self.rung))
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

    fn due(&self, remember: Duration) -> Instant {
        match self.phase {
            Phase::Live { expires } => expires,
            Phase::Released { at } | Phase::Settled { at, .. } => at + remember,
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
