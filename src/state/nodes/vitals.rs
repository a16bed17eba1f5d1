//! What have reports, outcomes and operators said of a node?

use std::{sync::Arc, time::Duration};

use super::{
    breaker::{Breaker, Signal},
    ledger::Sample,
    trust::{Presence, Trust},
};
use crate::{
    domain::{
        load::NodeLoad,
        node::{BreakerState, NodeState, RequestType},
        policy::{BreakerPolicy, FreshnessPolicy, Policy},
        time::Instant,
    },
    learn::{
        ewma::{Ewma, PeakEwma},
        throughput::Throughput,
    },
};

/// Over how long latencies are remembered.
const LATENCY_TAU: Duration = Duration::from_secs(10);
/// What a failed request counts as, at least: a node that fails fast must not look quick.
const FAILURE_LATENCY: Duration = Duration::from_secs(5);

/// All of it, in one consistent piece.
#[derive(Debug, Clone)]
pub struct Vitals {
    /// Load as last reported.
    pub load: Option<Reported>,
    /// Whether it is there.
    pub trust: Trust,
    /// Whether it fails.
    pub breaker: Breaker,
    /// Whether an operator drains it.
    pub draining: bool,
    /// Time to the first token (or to the whole image), from outcomes, in seconds; by request type.
    first_token_latency: [Ewma; RequestType::NAMES.len()],
    /// Time of whole requests, from outcomes, in seconds; failures weigh in.
    pub latency: PeakEwma,
    /// How much work it does, from outcomes.
    pub throughput: Throughput,
}

/// A report in force.
#[derive(Debug, Clone)]
pub struct Reported {
    /// What it said.
    pub load: Arc<NodeLoad>,
    /// When it came, by our clock.
    pub received: Instant,
    /// When it was so, by our clock.
    pub taken: Instant,
    /// How long it holds.
    pub(super) holds: Reports,
    /// Whether the stream that it came by has ended.
    pub(super) orphaned: bool,
}

/// How long the reports of a stream hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reports {
    /// While they are fresh and their stream is open: an agent sends them.
    WhileFresh,
    /// Until the next one: somebody says by hand how an unattended node is.
    UntilReplaced,
}

/// What one finished (or well running) request tells of its node.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Observation {
    /// Whether it went well; `None` where it says nothing of the node.
    pub signal: Option<Signal>,
    /// What the request asked for.
    pub request_type: RequestType,
    /// When the request was picked.
    pub picked: Instant,
    /// Time to the first token, if told.
    pub first_token_latency: Option<Duration>,
    /// Time of the whole request; `None` while it runs.
    pub latency: Option<Duration>,
    /// What its first token tells of the node's speed.
    pub sample: Option<Sample>,
}

impl Reported {
    /// Whether it still holds: an agent's only while it is fresh and its stream is open.
    fn is_current(&self, now: Instant, policy: &FreshnessPolicy) -> bool {
        self.holds == Reports::UntilReplaced || self.stale_after(now, policy).is_some()
    }

    /// When it ceases to hold; `None` where it does not, or has.
    pub fn stale_after(&self, now: Instant, policy: &FreshnessPolicy) -> Option<Instant> {
        let fades = self.holds == Reports::WhileFresh && !self.orphaned;
        Some(self.received + policy.stale_after).filter(|stale| fades && now < *stale)
    }
}

impl Vitals {
    /// Of a node that has just become known.
    pub(super) fn new(policy: &Policy, trust: Trust) -> Self {
        Self {
            load: None,
            trust,
            breaker: Breaker::new(&policy.breaker),
            draining: false,
            first_token_latency: [Ewma::new(LATENCY_TAU); RequestType::NAMES.len()],
            latency: PeakEwma::new(LATENCY_TAU),
            throughput: Throughput::default(),
        }
    }

    /// Whether it gave no sign of life and failed besides.
    pub(super) fn is_lost(&self, now: Instant) -> bool {
        self.trust.at(now) == Presence::Silent && self.breaker.at(now) != BreakerState::Closed
    }

    pub(super) fn observe_latency(&mut self, seen: Observation, now: Instant) {
        if let (Some(sample), Some(latency)) = (seen.sample, seen.first_token_latency) {
            // A latency that is told may include attempts before this pick.
            self.throughput.observe(now, sample.work, latency.min(now.since(sample.picked)));
        }
        if let Some(latency) = seen.first_token_latency {
            self.first_token_latency[seen.request_type as usize].observe(now, latency.as_secs_f64());
        }
        if let Some(latency) = seen.latency {
            // A refusal for overload comes fast, and is no sign of a fast node either.
            let went_well = seen.signal == Some(Signal::Good);
            let latency = if went_well { latency } else { latency.max(FAILURE_LATENCY) };
            self.latency.observe(now, latency.as_secs_f64());
        }
    }

    pub(super) fn observe_signal(
        &mut self,
        signal: Signal,
        seen: Observation,
        now: Instant,
        policy: &Policy,
    ) {
        match signal {
            Signal::Good => self.trust.went_well(&policy.freshness, now, seen.picked),
            Signal::Bad => self.trust.failed(now),
            Signal::Overloaded => {}
        }
        // A request that still runs has not yet succeeded: it vouches for the node's presence and ends a trial.
        if seen.latency.is_some() {
            self.breaker.observe(&policy.breaker, now, seen.picked, signal);
        } else if seen.first_token_latency.is_some() {
            self.breaker.observe_first_token(&policy.breaker, now, seen.picked);
        }
    }

    /// First-token latency to expect of a request of this type; `None` before the first outcome that told one.
    pub fn expected_first_token(&self, request_type: RequestType, now: Instant) -> Option<Duration> {
        let seconds = self.first_token_latency[request_type as usize].at(now)?;
        Duration::try_from_secs_f64(seconds).ok()
    }

    /// The reported load, unless its agent has gone or fallen silent and it is no longer true.
    pub fn load_at(&self, now: Instant, policy: &FreshnessPolicy) -> Option<&NodeLoad> {
        self.reported_at(now, policy).map(|reported| &*reported.load)
    }

    /// The same with when it came.
    pub fn reported_at(&self, now: Instant, policy: &FreshnessPolicy) -> Option<&Reported> {
        self.load.as_ref().filter(|reported| reported.is_current(now, policy))
    }

    /// Whether the node can be picked, for people to see.
    pub fn state(&self, now: Instant) -> NodeState {
        if self.draining {
            return NodeState::Draining;
        }
        if self.breaker.at(now) == BreakerState::Open {
            return NodeState::Ejected;
        }
        match self.trust.at(now) {
            Presence::Present => NodeState::Ready,
            Presence::Unreported => NodeState::Unreported,
            Presence::Silent | Presence::Gone => NodeState::Silent,
        }
    }

    /// Share of its capacity that the node is given, from a tenth to 1.
    pub fn slow_start(&self, policy: &BreakerPolicy, now: Instant) -> f64 {
        self.breaker.slow_start(policy, now)
    }
}
