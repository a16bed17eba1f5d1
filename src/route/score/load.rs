//! How loaded is a node, from 0 to 100?
//!
//! `load = 0.4 · cpu% + 0.3 · memory% + 0.3 · queue%`, weights from [`LoadPolicy`], where
//! `queue% = 100 · min(queued / capacity, 1)`. A GPU that is reported takes the processor's place. To that comes a
//! term for recent failures, without which a node that fails fast would look idle.
//!
//! A report is old when it comes, so the queue is corrected by what we know ourselves: the picks made since (`unseen`),
//! and what is in flight beyond what the node says it runs. The report never outranks that.
//!
//! What a node does not tell (no agent, agent gone) it borrows from a candidate that does, drawn anew for each pick.
//! Taken as 0 it would draw all requests, as 100 none; taken as the mean it would never be the least, and where the
//! others' loads move up and down it would get nothing. Weight and slow start scale the capacity: each pick then costs
//! such a node more or less, and its share comes out in proportion.

use std::num::NonZeroU64;

use super::cost;
use crate::{
    domain::{
        decision::Rung,
        explanation::LoadTerms,
        id::AdapterName,
        load::{NodeLoad, Ratio},
        policy::{LoadPolicy, Policy},
        time::{Chance, Instant},
    },
    learn::ewma::PeakEwma,
    state::nodes::{
        flight::FlightCounts,
        ledger::Outstanding,
        node::{Node, Vitals},
    },
};

/// All that the scores read of a node, at one moment.
#[derive(Debug, Clone, Copy)]
pub struct Reading {
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
    /// Whether it tells that.
    tells_speed: bool,
    /// Work before it as it told, and when that was so.
    pub told_work: Option<(f64, Instant)>,
    /// Blocks of prompts that its cache holds when it is full.
    pub cache_blocks: u32,
    told_decoding: Option<u32>,
    told_kv: Option<f64>,
    kv_share: f64,
    /// Whether it says which adapters it has, and not this one.
    lacks_adapter: bool,
}

/// What a node tells of itself; `None` where it does not.
#[derive(Debug, Clone, Copy, Default)]
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
    pub fn of(node: &Node, vitals: &Vitals, policy: &Policy, rung: Rung, now: Instant) -> Self {
        Self::for_adapter(None, node, vitals, (policy, rung), now)
    }

    /// The same for a request that needs this adapter.
    pub fn for_adapter(
        adapter: Option<&AdapterName>,
        node: &Node,
        vitals: &Vitals,
        (policy, rung): (&Policy, Rung),
        now: Instant,
    ) -> Self {
        let reported = match rung {
            Rung::Frozen => vitals.load.as_ref(),
            _ => vitals.reported_at(now, &policy.freshness),
        };
        let load = reported.map(|reported| &*reported.load);
        let told = |field: fn(&NodeLoad) -> Option<Ratio>| load.and_then(field).map(Ratio::percent);
        let gpu = told(|load| load.gpu).filter(|_| policy.load.gpu_replaces_cpu);
        let capacity = node.spec.queue_capacity.unwrap_or(policy.load.queue_capacity);
        Self {
            told: Told {
                cpu: gpu.or_else(|| told(|load| load.cpu)),
                memory: told(|load| load.memory),
                running: load.and_then(|load| load.running),
                waiting: load.and_then(|load| load.waiting),
            },
            counts: node.live.counts(),
            weight: node.spec.weight,
            queue_capacity: f64::from(capacity.get()),
            slow_start: vitals.slow_start(&policy.breaker, now),
            failure_ratio: vitals.breaker.failure_ratio(now),
            latency: vitals.latency,
            outstanding: node.live.ledger.outstanding(),
            speed: cost::speed(vitals.throughput.get(), load.and_then(|load| load.speed), &policy.cost),
            tells_speed: load.is_some_and(|load| load.speed.is_some()),
            told_work: reported.and_then(|reported| Some((reported.load.work_ahead()?, reported.taken))),
            cache_blocks: node.cache_blocks(load, &policy.prefixes),
            told_decoding: load.and_then(|load| load.decoding.or(load.running)),
            told_kv: load.and_then(|load| load.kv_tokens_active(node.spec.kv_tokens.map(NonZeroU64::get))),
            kv_share: load.map_or(0.0, NodeLoad::kv_share),
            lacks_adapter: load.zip(adapter).is_some_and(|(load, adapter)| load.lacks(adapter)),
        }
    }

    /// Whether the node tells enough of its engine for a cost in milliseconds: more than how busy it is and how many wait.
    pub fn tells_enough(&self) -> bool {
        self.tells_speed || self.told_work.is_some() || self.told_kv.is_some()
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

/// Lets each node borrow what it does not tell. The requests in execution too: without them all that is in flight on
/// a node without an agent would count as queued, and it would get less than its share.
pub fn borrow(readings: &mut [Reading], chance: &mut Chance) {
    borrow_one(readings, |told| &mut told.cpu, chance);
    borrow_one(readings, |told| &mut told.memory, chance);
    borrow_one(readings, |told| &mut told.running, chance);
}

fn borrow_one<T: Copy>(
    readings: &mut [Reading],
    field: fn(&mut Told) -> &mut Option<T>,
    chance: &mut Chance,
) {
    let telling = readings.iter_mut().filter_map(|reading| *field(&mut reading.told)).count();
    if telling == 0 || telling == readings.len() {
        return;
    }
    let lenders: Vec<T> = readings.iter_mut().filter_map(|reading| *field(&mut reading.told)).collect();
    for reading in readings {
        field(&mut reading.told).get_or_insert_with(|| lenders[chance.usize(..lenders.len())]);
    }
}

/// The load, term by term; what is neither told nor borrowed counts as 0.
pub fn load(reading: &Reading, policy: &LoadPolicy) -> LoadTerms {
    LoadTerms {
        cpu: policy.cpu * reading.told.cpu.unwrap_or(0.0),
        memory: policy.memory * reading.told.memory.unwrap_or(0.0),
        queue: policy.queue * 100.0 * reading.pressure().min(1.0),
        failures: policy.failure_penalty * reading.failure_ratio,
    }
}

/// The load of one node by itself.
pub fn of(node: &Node, policy: &Policy, now: Instant) -> LoadTerms {
    load(&Reading::of(node, &node.live.vitals(), policy, Rung::Normal, now), &policy.load)
}
