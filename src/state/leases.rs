//! Which picks are in flight, and how does each end exactly once?
//!
//! A lease reserves a request's load on its node from the pick until its outcome, its expiry, or a retry that excludes the
//! node. Each of these takes the lease out of the live phase under its map entry's lock, and only that step releases the
//! node's counter: so the sum in flight over all nodes is the number of live leases, and can neither leak nor go
//! below zero. An ended lease is remembered for a while: a repeated outcome is known as such, and a late one still tells of the
//! node's health.

mod lease;
mod told;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use dashmap::DashMap;

use super::{
    answers::Leadership,
    nodes::{
        Topology,
        flight::{Trial, TrialTaken},
        node::Node,
        vitals::Observation,
    },
};
use crate::domain::{
    decision::{Decision, Granted, LeaseGrant, Route, Rung},
    degradation::PoolKey,
    digest::{AsIs, Digest, Digester},
    id::LeaseId,
    node::{BreakerState, NodeClass},
    outcome::{Outcome, OutcomeResult, Settlement},
    policy::{LeasePolicy, Policy},
    request::{RequestKey, RouteRequest},
    time::Instant,
};

pub use lease::Holds;
use lease::{Entry, Lease, Phase};
use told::{Short, Told};

/// Parts of the table: whoever sweeps one, or makes it grow, keeps picks of a few thousand requests waiting, not of all.
const PARTS: usize = 128;

/// Picks in flight, and those that ended lately.
#[derive(Debug)]
pub struct LeaseTable {
    requests: DashMap<Digest, Entry, AsIs>,
    digester: Digester,
    /// Leases in the live phase; at most [`LeasePolicy::live_max`].
    live: AtomicUsize,
    /// Requests remembered, live or ended; at most about twice as many as may live.
    remembered: AtomicUsize,
    picks: AtomicU64,
}

/// A choice to reserve.
#[derive(Debug)]
pub struct Reservation {
    /// The picked node.
    pub node: Arc<Node>,
    /// Whether the pick tries a node whose breaker is half-open.
    pub trial: Trial,
    /// What the caller is told; its lease is filled in.
    pub route: Route,
    /// Work of its prompt that the node does not hold, and of all that lies before it too.
    pub work: Work,
    /// How far from normal it was decided.
    pub rung: Rung,
    /// How long it lasts without a word.
    pub ttl: Duration,
}

/// Work of a prompt, for who keeps account of it.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Work {
    /// Its own, without what the node holds.
    pub own: f64,
    /// The same and all that lies before it.
    pub ahead: f64,
    /// Leading blocks of it that the node is expected to hold.
    pub expected_blocks: u32,
}

/// What is known of a request from before.
#[derive(Debug)]
pub struct Earlier {
    /// The decision that was made for it, if it asked for the same then and its lease lives on a node that is not
    /// excluded now.
    pub decision: Option<Decision>,
    /// Whether it was tried.
    pub tried: Tried,
}

/// What an earlier attempt at a request has left, if there was one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tried {
    /// The request, as the table of leases has it.
    key: Digest,
    /// Whether it was picked lately and has not been answered: then it is tried again.
    pub is_retry: bool,
    /// Whether it holds a reservation of tokens.
    pub holds_tokens: bool,
}

impl Tried {
    /// There was none.
    fn never(key: Digest) -> Self {
        Self { key, is_retry: false, holds_tokens: false }
    }
}

/// Why a choice was not put in flight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GrantError {
    /// As many leases live as the policy allows.
    Exhausted,
    /// Another pick tries the half-open node already: choose again.
    TrialTaken,
}

impl From<TrialTaken> for GrantError {
    fn from(_: TrialTaken) -> Self {
        Self::TrialTaken
    }
}

/// What a reported outcome did.
#[derive(Debug)]
pub struct Settled {
    /// To the lease.
    pub settlement: Settlement,
    /// To the node's breaker, if that changed.
    pub breaker: Option<BreakerState>,
    /// What the request held, where it has ended.
    pub holds: Holds,
    /// The pool and class in which there is room now, where the lease had not ended before.
    pub freed: Option<(PoolKey, NodeClass)>,
    /// Where it was served, if it is known.
    pub served: Option<Served>,
    /// Until when its lease lasts now, and the leadership that goes with it, where it was renewed.
    pub renewed: Option<(Leadership, Instant)>,
}

impl Settled {
    fn only(settlement: Settlement) -> Self {
        let holds = Holds::default();
        Self { settlement, breaker: None, holds, freed: None, served: None, renewed: None }
    }
}

/// Where a request was served.
#[derive(Debug)]
pub struct Served {
    /// The node.
    pub node: Arc<Node>,
    /// The pool.
    pub pool: PoolKey,
    /// Leading blocks of its prompt that the node was expected to hold.
    pub expected_blocks: u32,
    /// Whether this outcome is the first to tell of its first token.
    pub has_begun: bool,
}

impl LeaseTable {
    /// Nothing is in flight.
    pub fn new(digester: Digester) -> Self {
        Self {
            requests: DashMap::with_hasher_and_shard_amount(AsIs::default(), PARTS),
            digester,
            live: AtomicUsize::default(),
            remembered: AtomicUsize::default(),
            picks: AtomicU64::default(),
        }
    }

    /// Leases in flight.
    pub fn live(&self) -> usize {
        self.live.load(Relaxed)
    }

    /// Requests remembered, live or ended.
    pub fn remembered(&self) -> usize {
        self.remembered.load(Relaxed)
    }

    /// What is known of the request from before.
    pub fn earlier(&self, request: &RouteRequest, topology: &Topology, now: Instant) -> Earlier {
        let key = self.digester.digest_whole(&request.key);
        let Some(entry) = self.requests.get(&key) else {
            return Earlier { decision: None, tried: Tried::never(key) };
        };
        let decided = |(route, rung)| Decision {
            outcome: Ok(Granted::Route(route)),
            rung,
            explanation: None,
            turned: None,
        };
        let attempts = &entry.attempts;
        let recalled = attempts.latest.recall(request, topology, now);
        Earlier { decision: recalled.map(decided), tried: attempts.tried(key) }
    }

    /// Whether this request was tried before.
    pub fn tried(&self, request: &RequestKey) -> Tried {
        let key = self.digester.digest_whole(request);
        self.requests.get(&key).map_or(Tried::never(key), |entry| entry.attempts.tried(key))
    }

    /// Releases the request's lease on a node that it excludes: it has left that node, wherever it goes.
    pub fn leave(&self, request: &RouteRequest, tried: Tried, policy: &LeasePolicy, now: Instant) {
        if request.excluded.is_empty() {
            return;
        }
        if let Some(mut entry) = self.requests.get_mut(&tried.key)
            && request.excluded.contains(&entry.attempts.latest.node.spec.id)
        {
            self.release(&mut entry.attempts.latest, now);
            entry.changed(policy.remember);
        }
    }

    /// Puts a choice in flight. If the request has got a decision meanwhile, that one stands. Takes what the request holds
    /// from now on; what is left in `holds` it does not need.
    pub fn grant(
        &self,
        (request, tried): (&RouteRequest, Tried),
        reservation: Reservation,
        holds: &mut Holds,
        (topology, policy): (&Topology, &Policy),
        now: Instant,
    ) -> Result<(Box<Route>, Rung), GrantError> {
        let remember = policy.leases.remember;
        match self.requests.entry(tried.key) {
            dashmap::Entry::Occupied(mut entry) => {
                let entry = entry.get_mut();
                if let Some(decided) = entry.attempts.latest.recall(request, topology, now) {
                    return Ok(decided);
                }
                let (lease, route) = self.open(request, reservation, policy, now)?;
                let decided = (route, lease.rung);
                self.release(&mut entry.attempts.latest, now);
                entry.attempts.supersede(lease);
                entry.attempts.hold(holds);
                entry.changed(remember);
                Ok(decided)
            }
            dashmap::Entry::Vacant(entry) => {
                let (lease, route) = self.open(request, reservation, policy, now)?;
                let decided = (route, lease.rung);
                entry.insert(Entry::new(lease, holds, remember));
                self.remembered.fetch_add(1, Relaxed);
                Ok(decided)
            }
        }
    }

    /// Takes in how a request went.
    pub fn settle(&self, outcome: &Outcome, policy: &Policy, now: Instant) -> Settled {
        let unknown = Settled::only(Settlement::Unknown);
        let key = self.digester.digest_whole(&outcome.key);
        let Some(mut entry) = self.requests.get_mut(&key) else { return unknown };
        let attempts = &mut entry.attempts;
        let Some(lease) = attempts.find(outcome.lease) else { return unknown };
        let mut settled = self.settle_lease(lease, outcome, policy, now);
        let over = attempts.is_over();
        if over && outcome.result != OutcomeResult::Running {
            settled.holds = attempts.let_go();
        }
        settled.renewed = attempts.led_until();
        entry.changed(policy.leases.remember);
        drop(entry);
        if over && self.is_crowded(&policy.leases) {
            self.forget(&key);
        }
        settled
    }

    /// Releases what has expired and forgets what ended long ago.
    pub fn sweep(&self, policy: &LeasePolicy, now: Instant) {
        let crowded = self.is_crowded(policy);
        self.requests.retain(|_, entry| {
            if entry.is_due(now) && entry.attempts.latest.has_expired(now) {
                self.release(&mut entry.attempts.latest, now);
                entry.changed(policy.remember);
            }
            let goes = entry.is_due(now) || crowded && entry.attempts.is_over();
            self.remembered.fetch_sub(usize::from(goes), Relaxed);
            !goes
        });
    }

    /// As many ended leases are remembered as may live; beyond that, memory is worth more than remembering.
    fn is_crowded(&self, policy: &LeasePolicy) -> bool {
        self.remembered.load(Relaxed) > policy.live_max.saturating_mul(2)
    }

    /// Forgets a request unless it has been picked again meanwhile.
    fn forget(&self, key: &Digest) {
        if self.requests.remove_if(key, |_, entry| entry.attempts.is_over()).is_some() {
            self.remembered.fetch_sub(1, Relaxed);
        }
    }

    fn settle_lease(&self, lease: &mut Lease, outcome: &Outcome, policy: &Policy, now: Instant) -> Settled {
        // A first token: the node has done the work before it. Told first, because a lease that ends is struck out.
        let begun = outcome.first_token_latency.is_some();
        let sample = begun.then(|| lease.node.live.begun(lease.id.0, now)).flatten();
        if lease.has_expired(now) {
            self.release(lease, now);
        }
        let node = lease.node.spec.id.clone();
        let well = outcome.result == OutcomeResult::Ok;
        let settlement = match (lease.phase, outcome.result) {
            (Phase::Live { .. }, OutcomeResult::Running) => {
                lease.phase = Phase::Live { expires: now + lease.ttl.duration() };
                Settlement::Renewed(node)
            }
            (Phase::Live { .. }, _) => {
                self.release(lease, now);
                lease.phase = Phase::Settled { at: now, well };
                Settlement::Settled(node)
            }
            (Phase::Released { .. }, OutcomeResult::Running) => Settlement::Late(node),
            (Phase::Released { at }, _) => {
                lease.phase = Phase::Settled { at, well };
                Settlement::Late(node)
            }
            (Phase::Settled { .. }, _) => {
                return Settled::only(Settlement::AlreadySettled(node));
            }
        };
        let freed = matches!(settlement, Settlement::Settled(_)).then(|| lease.pool());
        let observation = Observation { sample, ..lease.observation(outcome, now) };
        let breaker = lease.node.live.observe(observation, now, policy);
        let served = Some(Served { has_begun: sample.is_some(), ..lease.served() });
        Settled { breaker, freed, served, ..Settled::only(settlement) }
    }

    fn open(
        &self,
        request: &RouteRequest,
        wanted: Reservation,
        policy: &Policy,
        now: Instant,
    ) -> Result<(Lease, Box<Route>), GrantError> {
        let flight = &wanted.node.live.flight;
        let trial = match wanted.trial {
            Trial::Yes => Some(flight.try_out(now, now + policy.breaker.open_for)?),
            Trial::No => None,
        };
        let room = |live| (live < policy.leases.live_max).then_some(live + 1);
        self.live.fetch_update(Relaxed, Relaxed, room).map_err(|_| GrantError::Exhausted)?;
        let pick = self.picks.fetch_add(1, Relaxed) + 1;
        let id = LeaseId(pick);
        let charge = wanted.node.live.charge(pick, trial, (wanted.work.own, wanted.work.ahead), now);
        let told = Some(Told::of(&wanted.route));
        let route = Box::new(Route { lease: Some(LeaseGrant { id, ttl: wanted.ttl }), ..wanted.route });
        let lease = Lease {
            id,
            charge,
            expected_blocks: wanted.work.expected_blocks,
            node: wanted.node,
            request_type: request.request_type,
            model: request.model.clone(),
            class: request.class(),
            told,
            rung: wanted.rung,
            ttl: Short::of(wanted.ttl),
            picked: now,
            phase: Phase::Live { expires: now + wanted.ttl },
        };
        Ok((lease, route))
    }

    /// The one way out of the live phase.
    fn release(&self, lease: &mut Lease, now: Instant) {
        if let Phase::Live { .. } = lease.phase {
            lease.node.live.release(lease.id.0, &lease.charge, now);
            lease.phase = Phase::Released { at: now };
            lease.told = None;
            self.live.fetch_sub(1, Relaxed);
        }
    }
}

#[cfg(test)]
mod tests;
