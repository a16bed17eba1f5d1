//! What do decisions read of a node?
//!
//! Taken from what is known of it at one moment, in plain numbers. A reading stays as it is until something happens to the
//! node, or the time comes that it says itself: so it need not be taken anew for each pick.

use std::{num::NonZeroU64, time::Duration};

use super::{
    flight::FlightCounts, ledger::Outstanding, node::Node, prefixes::Occupancy, trust::Presence,
    vitals::Vitals,
};
use crate::{
    domain::{
        decision::Rung,
        explanation::LoadTerms,
        id::AdapterName,
        load::{NodeLoad, Ratio},
        node::BreakerState,
        policy::{CostPolicy, Learning, LoadPolicy, Policy},
        time::Instant,
    },
    learn::ewma::PeakEwma,
};

/// Ratio of two neighbouring grades of a speed that is learned.
const GRADE: f64 = 1.15;
/// The same of its ratio to the one that the node tells, which is exact where it is right.
const DOUBT_GRADE: f64 = 2.5;
/// How much of its speed a node loses whose requests all fail.
const FAILURE_SHARE: f64 = 0.9;
/// Shares that fade with time (of failures, of a slow start) are read anew after this.
const FADES: Duration = Duration::from_millis(10);

/// All that decisions read of a node, at one moment.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reading {
    /// Whether an operator drains it.
    pub draining: bool,
    /// Whether it fails.
    pub breaker: BreakerState,
    /// Whether it is there.
    pub presence: Presence,
    /// Whether a report of it holds.
    pub tells: bool,
    /// When it is to be taken anew, though nothing may have happened to the node.
    pub until: Instant,
    /// What the node tells, or borrows.
    pub told: Told,
    /// What we sent.
    pub counts: FlightCounts,
    /// Capacity relative to a node of weight 1.
    pub weight: f64,
    /// Queue length that counts as full, at weight 1.
    pub queue_capacity: f64,
    /// Share of its capacity that the node is given, over 0 to 1.
    pub slow_start: f64,
    /// Share of recent requests that failed, from 0 to 1.
    pub failure_ratio: f64,
    /// Recent peak of request latency, in seconds.
    pub latency: PeakEwma,
    /// The work of what we sent that it has not begun to answer.
    pub outstanding: Outstanding,
    /// Work a millisecond, as it tells and its outcomes show; `None` where neither does.
    pub speed: Option<f64>,
    /// Whether it tells enough of its engine for a cost in milliseconds: more than how busy it is and how many wait.
    pub tells_enough: bool,
    /// Work before it as it told, and when that was so.
    pub told_work: Option<(f64, Instant)>,
    /// Blocks of prompts that its cache holds when it is full.
    pub cache_blocks: u32,
    /// Its number in the index of prefixes; `None` where that knows nothing of it.
    pub holder: Option<u16>,
    told_decoding: Option<u32>,
    told_kv: Option<f64>,
    kv_share: f64,
    /// Whether it says which adapters it has, and not this one.
    lacks_adapter: bool,
}

/// What a node tells of itself; `None` where it does not.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Told {
    /// Processor or GPU in use, in percent.
    pub cpu: Option<f64>,
    /// Memory in use, in percent.
    pub memory: Option<f64>,
    /// Requests in execution.
    pub running: Option<u32>,
    /// Requests not yet begun.
    pub waiting: Option<u32>,
}

impl Reading {
    /// Reads a node. A frozen fleet is read by its last reports, however old.
    pub fn of(node: &Node, policy: &Policy, rung: Rung, now: Instant) -> Self {
        Self::for_adapter(None, node, policy, rung, now)
    }

    /// The same for a request that needs this adapter.
    pub fn for_adapter(
        adapter: Option<&AdapterName>,
        node: &Node,
        policy: &Policy,
        rung: Rung,
        now: Instant,
    ) -> Self {
        let vitals = node.live.vitals();
        let fresh = vitals.reported_at(now, &policy.freshness);
        let reported = if rung == Rung::Frozen { vitals.load.as_ref() } else { fresh };
        let load = reported.map(|reported| &*reported.load);
        let kv = load.and_then(|load| load.kv_tokens_active(node.spec.kv_tokens.map(NonZeroU64::get)));
        let capacity = node.spec.queue_capacity.unwrap_or(policy.load.queue_capacity);
        Self {
            draining: vitals.draining,
            breaker: vitals.breaker.at(now),
            presence: vitals.trust.at(now),
            tells: fresh.is_some(),
            until: holds_until(&vitals, policy, now),
            told: Told::of(load, &policy.load),
            counts: node.live.counts(),
            weight: node.spec.weight,
            queue_capacity: f64::from(capacity.get()),
            slow_start: vitals.slow_start(&policy.breaker, now),
            failure_ratio: vitals.breaker.failure_ratio(now),
            latency: vitals.latency,
            outstanding: node.live.ledger.outstanding(),
            speed: speed(vitals.throughput.get(), load.and_then(|load| load.speed), &policy.cost),
            tells_enough: load
                .is_some_and(|load| load.speed.is_some() || load.work_ahead().is_some() || kv.is_some()),
            told_work: reported.and_then(|reported| Some((reported.load.work_ahead()?, reported.taken))),
            cache_blocks: node.cache_blocks(load, &policy.prefixes),
            holder: node.live.occupancy.as_deref().and_then(Occupancy::holder),
            told_decoding: load.and_then(|load| load.decoding.or(load.running)),
            told_kv: kv,
            kv_share: load.map_or(0.0, NodeLoad::kv_share),
            lacks_adapter: load.zip(adapter).is_some_and(|(load, adapter)| load.lacks(adapter)),
        }
    }

    /// Takes anew what each pick changes.
    pub(super) fn recount(&mut self, node: &Node) {
        self.counts = node.live.counts();
        self.outstanding = node.live.ledger.outstanding();
    }

    /// Whether the node takes requests as a matter of course.
    pub fn is_live(&self) -> bool {
        let present = matches!(self.presence, Presence::Present | Presence::Unreported);
        present && !self.draining && self.breaker == BreakerState::Closed
    }

    /// The load, term by term; what is neither told nor borrowed counts as 0. The formula is told in `route::score::load`.
    pub fn load(&self, policy: &LoadPolicy) -> LoadTerms {
        LoadTerms {
            cpu: policy.cpu * self.told.cpu.unwrap_or(0.0),
            memory: policy.memory * self.told.memory.unwrap_or(0.0),
            queue: policy.queue * 100.0 * self.pressure().min(1.0),
            failures: policy.failure_penalty * self.failure_ratio,
        }
    }

    /// Share of its speed that is left to a node that fails or returns, over 0 to 1.
    pub fn health(&self) -> f64 {
        (1.0 - FAILURE_SHARE * self.failure_ratio) * self.slow_start
    }

    /// Work before a new request: what the last report says, rolled forward, and what we sent that it cannot know of. Without
    /// such a report what we sent ourselves, less what the node can have done of the foremost.
    pub fn work_ahead(&self, speed: f64, now: Instant) -> f64 {
        let done_since = |since: Instant| speed * now.since(since).as_secs_f64() * 1000.0;
        match self.told_work {
            Some((work, taken)) => (work - done_since(taken)).max(0.0) + self.outstanding.unreported,
            None => {
                self.outstanding.all - done_since(self.outstanding.front_since).min(self.outstanding.front)
            }
        }
    }

    /// Requests that write their answers.
    pub fn decoding(&self) -> u32 {
        self.told_decoding.unwrap_or(self.counts.in_flight)
    }

    /// Tokens of the key-value cache in use.
    pub fn kv_active(&self) -> f64 {
        self.told_kv.unwrap_or(0.0)
    }

    /// Share of the key-value cache in use, from 0 to 1; 0 where it does not tell.
    pub fn kv_share(&self) -> f64 {
        self.kv_share
    }

    /// Whether it says which adapters it has, and not the request's.
    pub fn lacks_adapter(&self) -> bool {
        self.lacks_adapter
    }

    /// Requests queued on the node: by its report and the picks since, or by what we sent if that is more.
    pub fn queued(&self) -> u32 {
        let reported = self.told.waiting.map_or(0, |waiting| waiting.saturating_add(self.counts.unseen));
        let running = self.told.running.unwrap_or(0);
        reported.max(self.counts.in_flight.saturating_sub(running))
    }

    /// Requests queued per capacity that the node is given now; over 1 where the queue is more than full.
    pub fn pressure(&self) -> f64 {
        f64::from(self.queued()) / (self.queue_capacity * self.share())
    }

    /// Capacity that the node is given now, relative to a node of weight 1.
    pub fn share(&self) -> f64 {
        self.weight * self.slow_start
    }
}

impl Told {
    fn of(load: Option<&NodeLoad>, policy: &LoadPolicy) -> Self {
        let percent = |field: fn(&NodeLoad) -> Option<Ratio>| load.and_then(field).map(Ratio::percent);
        let gpu = percent(|load| load.gpu).filter(|_| policy.gpu_replaces_cpu);
        Self {
            cpu: gpu.or_else(|| percent(|load| load.cpu)),
            memory: percent(|load| load.memory),
            running: load.and_then(|load| load.running),
            waiting: load.and_then(|load| load.waiting),
        }
    }
}

/// When something changes by the clock alone.
fn holds_until(vitals: &Vitals, policy: &Policy, now: Instant) -> Instant {
    let fades = vitals.breaker.has_failures() || vitals.slow_start(&policy.breaker, now) < 1.0;
    let next = [
        vitals.trust.ends_after(now),
        vitals.breaker.turns_after(now),
        vitals.load.as_ref().and_then(|reported| reported.stale_after(now, &policy.freshness)),
        fades.then(|| now + FADES),
    ];
    next.into_iter().flatten().min().unwrap_or(Instant::NEVER)
}

/// Work a millisecond: as the node tells unless its outcomes say something quite different, else as learned from these.
fn speed(learned: Option<f64>, told: Option<f64>, policy: &CostPolicy) -> Option<f64> {
    let learned = learned.filter(|_| policy.learn_speeds == Learning::On);
    match (learned, told) {
        (Some(learned), Some(told)) => Some(told * graded(learned / told, DOUBT_GRADE)),
        (Some(learned), None) => Some(graded(learned, GRADE)),
        (None, told) => told,
    }
}

/// What is learned is noisy, and the node that seems the quickest by a hair would get all: speeds within a grade are the same.
fn graded(speed: f64, grade: f64) -> f64 {
    grade.powf((speed.ln() / grade.ln()).round())
}
