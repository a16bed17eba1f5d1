//! How loaded is a node, from 0 to 100?
//!
//! `load = 0.4 · cpu% + 0.3 · memory% + 0.3 · queue%`, weights from [`LoadPolicy`], where
//! `queue% = 100 · min(queued / capacity, 1)`. A GPU that is reported takes the processor's place. To that comes a
//! term for recent failures, without which a node that fails fast would look idle.
//!
//! A report is old when it comes, so the queue is corrected by what we know ourselves: the picks made since (`unseen`),
//! and what is in flight beyond what the node says it runs. The report never outranks that.
//!
//! What a node does not tell (no agent, agent gone) is taken to be the mean of the candidates that do: taken as 0
//! it would draw all requests, as 100 none. Weight and slow start scale the capacity: each pick then costs such a node
//! more or less, and its share comes out in proportion.

use crate::{
    domain::{
        decision::Rung,
        explanation::LoadTerms,
        load::{NodeLoad, Ratio},
        policy::{LoadPolicy, Policy},
        time::Instant,
    },
    state::nodes::{flight::FlightCounts, node::Node},
};

/// All that the scores read of a node, at one moment.
#[derive(Debug, Clone, Copy)]
pub struct Reading {
    /// Processor or GPU in use, in percent.
    pub cpu: Option<f64>,
    /// Memory in use, in percent.
    pub memory: Option<f64>,
    /// Requests that the node says it runs.
    pub running: Option<u32>,
    /// Requests that the node says it has not begun.
    pub waiting: Option<u32>,
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
    pub latency: f64,
}

impl Reading {
    /// Reads a node. A frozen fleet is read by its last reports, however old.
    pub fn of(node: &Node, policy: &Policy, rung: Rung, now: Instant) -> Self {
        let vitals = node.live.vitals();
        let load = match rung {
            Rung::Frozen => vitals.load.as_ref().map(|reported| &*reported.load),
            Rung::Normal | Rung::Panic => vitals.load_at(now, &policy.freshness),
        };
        let told = |field: fn(&NodeLoad) -> Option<Ratio>| load.and_then(field).map(Ratio::percent);
        let gpu = told(|load| load.gpu).filter(|_| policy.load.gpu_replaces_cpu);
        let capacity = node.spec.queue_capacity.unwrap_or(policy.load.queue_capacity);
        Self {
            cpu: gpu.or_else(|| told(|load| load.cpu)),
            memory: told(|load| load.memory),
            running: load.and_then(|load| load.running),
            waiting: load.and_then(|load| load.waiting),
            counts: node.live.counts(),
            weight: node.spec.weight,
            queue_capacity: f64::from(capacity.get()),
            slow_start: vitals.slow_start(&policy.breaker, now),
            failure_ratio: vitals.breaker.failure_ratio(now),
            latency: vitals.latency.at(now),
        }
    }

    /// Requests queued on the node: by its report and the picks since, or by what we sent if that is more.
    pub fn queued(&self, means: Means) -> u32 {
        let reported = self.waiting.map_or(0, |waiting| waiting.saturating_add(self.counts.unseen));
        let running = self.running.unwrap_or(means.running);
        reported.max(self.counts.in_flight.saturating_sub(running))
    }

    /// Requests queued per capacity that the node is given now; over 1 where the queue is more than full.
    pub fn pressure(&self, means: Means) -> f64 {
        f64::from(self.queued(means)) / (self.queue_capacity * self.share())
    }

    /// Capacity that the node is given now, relative to a node of weight 1.
    pub fn share(&self) -> f64 {
        self.weight * self.slow_start
    }
}

/// What a node that does not tell is taken to have.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Means {
    cpu: f64,
    memory: f64,
    /// Of the requests in execution: without it all that is in flight on a node without an agent would count as
    /// queued, and it would get less than its share.
    running: u32,
}

impl Means {
    /// Means over those that tell; 0 where nobody does.
    pub fn of<'a>(readings: impl Iterator<Item = &'a Reading> + Clone) -> Self {
        Self {
            cpu: mean(readings.clone().filter_map(|reading| reading.cpu)),
            memory: mean(readings.clone().filter_map(|reading| reading.memory)),
            running: rounded(mean(readings.filter_map(|reading| reading.running.map(f64::from)))),
        }
    }
}

fn mean(numbers: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = numbers.fold((0.0, 0_u32), |(sum, count), number| (sum + number, count + 1));
    sum / f64::from(count.max(1))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a mean of counts is a count within their range"
)]
fn rounded(count: f64) -> u32 {
    count.round() as u32
}

/// The load, term by term.
pub fn load(reading: &Reading, means: Means, policy: &LoadPolicy) -> LoadTerms {
    LoadTerms {
        cpu: policy.cpu * reading.cpu.unwrap_or(means.cpu),
        memory: policy.memory * reading.memory.unwrap_or(means.memory),
        queue: policy.queue * 100.0 * reading.pressure(means).min(1.0),
        failures: policy.failure_penalty * reading.failure_ratio,
    }
}

/// The load of one node by itself: what it does not tell counts as 0.
pub fn of(node: &Node, policy: &Policy, now: Instant) -> LoadTerms {
    load(&Reading::of(node, policy, Rung::Normal, now), Means::default(), &policy.load)
}
