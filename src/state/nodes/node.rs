//! One node: what it declared, and what is known of it now.
//!
//! Writers (reports, outcomes, operators) change [`Vitals`] under a lock and publish a copy; picks read the copy and
//! the counts in flight, and take no lock.

use std::{sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use parking_lot::Mutex;

use super::{
    breaker::{Breaker, Signal},
    flight::{Flight, FlightCounts},
    ledger::{Ledger, Sample},
    prefixes::Occupancy,
    trust::{Presence, Trust},
};
use crate::{
    domain::{
        load::NodeLoad,
        node::{BreakerState, NodeOrigin, NodeSpec, NodeState, RequestType},
        policy::{BreakerPolicy, FreshnessPolicy, Policy},
        prefix::PrefixPolicy,
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

/// A node of the fleet. Registering again makes a new one around the same [`Live`].
#[derive(Debug, Clone)]
pub struct Node {
    /// What it declared.
    pub spec: NodeSpec,
    /// How it became known.
    pub origin: NodeOrigin,
    /// What is known of it now.
    pub live: Arc<Live>,
}

/// What is known of a node, from the time it registers until it is forgotten. Leases hold it too, so that each
/// releases the counter that it charged, whatever became of the node.
#[derive(Debug)]
pub struct Live {
    /// What we sent to it.
    pub flight: Flight,
    /// The work of what we sent to it that it has not begun to answer.
    pub ledger: Ledger,
    /// What its cache is taken to hold; `None` where the index has no place for it.
    pub occupancy: Option<Arc<Occupancy>>,
    writer: Mutex<Writer>,
    vitals: ArcSwap<Vitals>,
}

/// Guards the changes.
#[derive(Debug)]
struct Writer {
    /// Number of the stream that may report; older ones are refused.
    session: u64,
    /// Highest sequence number applied on it.
    sequence: u64,
    /// How long its reports hold.
    reports: Reports,
    vitals: Vitals,
}

/// What reports, outcomes and operators said, in one consistent piece.
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
    holds: Reports,
    /// Whether the stream that it came by has ended.
    orphaned: bool,
}

/// How long the reports of a stream hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reports {
    /// While they are fresh and their stream is open: an agent sends them.
    WhileFresh,
    /// Until the next one: somebody says by hand how an unattended node is.
    UntilReplaced,
}

/// What became of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::enum_variant_names, reason = "the word of the API")]
pub enum Applied {
    /// It is in force.
    Applied,
    /// It came twice or out of order.
    Stale,
    /// A newer stream speaks for the node, or the node was removed.
    Superseded,
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

impl Node {
    /// Blocks of prompts that its cache holds when it is full: as it reports or declares. Of a node that does neither it is a
    /// guess, corrected as its answers show; what is told needs no correction, and answers mislead: a prefix that is
    /// still being computed is not found either.
    pub fn cache_blocks(&self, load: Option<&NodeLoad>, policy: &PrefixPolicy) -> u32 {
        let told = load.and_then(|load| load.kv_capacity).map(|tokens| policy.blocks_of(tokens));
        told.or_else(|| self.spec.cache_blocks(policy)).unwrap_or_else(|| {
            let guessed = policy.node_blocks.get();
            self.live.occupancy.as_ref().map_or(guessed, |occupancy| occupancy.corrected(guessed))
        })
    }
}

impl Live {
    /// A node that has just become known.
    pub fn new(policy: &Policy, trust: Trust, occupancy: Option<Arc<Occupancy>>) -> Self {
        let vitals = Vitals {
            load: None,
            trust,
            breaker: Breaker::new(&policy.breaker),
            draining: false,
            first_token_latency: [Ewma::new(LATENCY_TAU); RequestType::NAMES.len()],
            latency: PeakEwma::new(LATENCY_TAU),
            throughput: Throughput::default(),
        };
        Self {
            flight: Flight::default(),
            ledger: Ledger::default(),
            occupancy,
            vitals: ArcSwap::from_pointee(vitals.clone()),
            writer: Mutex::new(Writer { session: 0, sequence: 0, reports: Reports::WhileFresh, vitals }),
        }
    }

    /// What is known now.
    pub fn vitals(&self) -> arc_swap::Guard<Arc<Vitals>> {
        self.vitals.load()
    }

    /// What is in flight now.
    pub fn counts(&self) -> FlightCounts {
        self.flight.counts()
    }

    /// Lets a new stream speak for the node, in place of any other. Number 0 lets none.
    pub fn begin(&self, session: u64, trust: Trust, reports: Reports) {
        self.change(|writer| {
            writer.session = session;
            writer.sequence = 0;
            writer.reports = reports;
            writer.vitals.trust = trust;
        });
    }

    /// Lets no stream speak for the node any more: it is being forgotten.
    pub fn silence(&self) {
        self.begin(0, Trust::UNATTENDED, Reports::WhileFresh);
    }

    /// Whether this stream is the one that speaks for the node.
    pub fn is_spoken_for_by(&self, session: u64) -> bool {
        self.writer.lock().session == session
    }

    /// Judges the node's presence anew, as its origin asks.
    pub fn entrust(&self, trust: Trust) {
        self.change(|writer| writer.vitals.trust = trust);
    }

    /// Takes in a report.
    pub fn apply(
        &self,
        session: u64,
        sequence: u64,
        load: NodeLoad,
        now: Instant,
        policy: &FreshnessPolicy,
    ) -> Applied {
        self.change(|writer| {
            if writer.session != session {
                return Applied::Superseded;
            }
            if sequence <= writer.sequence {
                return Applied::Stale;
            }
            writer.sequence = sequence;
            let taken = now.before(load.age.unwrap_or_default());
            self.ledger.include(load.received_lease.map(|lease| lease.0), taken);
            let load = Arc::new(load);
            let holds = writer.reports;
            if writer.vitals.is_lost(now) {
                self.comes_back(&mut writer.vitals, now);
            }
            writer.vitals.load = Some(Reported { load, received: now, taken, holds, orphaned: false });
            writer.vitals.trust.reported(policy, now);
            self.flight.seen();
            Applied::Applied
        })
    }

    /// The stream ended; says whether it still spoke for the node.
    pub fn close(&self, session: u64, now: Instant, policy: &FreshnessPolicy) -> bool {
        self.change(|writer| {
            let spoke = writer.session == session;
            if spoke {
                writer.vitals.trust.closed(policy, now);
                if let Some(reported) = &mut writer.vitals.load {
                    reported.orphaned = true;
                }
            }
            spoke
        })
    }

    /// Drains or resumes.
    pub fn set_draining(&self, draining: bool) {
        self.change(|writer| writer.vitals.draining = draining);
    }

    /// Takes in what a request tells. Returns the breaker's new state if it changed.
    pub fn observe(&self, seen: Observation, now: Instant, policy: &Policy) -> Option<BreakerState> {
        self.change(|writer| {
            let vitals = &mut writer.vitals;
            let before = vitals.breaker.at(now);
            vitals.observe_latency(seen, now);
            if let Some(signal) = seen.signal {
                vitals.observe_signal(signal, seen, now, policy);
            }
            let after = vitals.breaker.at(now);
            (after != before).then_some(after)
        })
    }

    /// A node that was silent and failed is there again. It has started anew, for all we know.
    fn comes_back(&self, vitals: &mut Vitals, now: Instant) {
        vitals.breaker.heard_again(now);
        if let Some(occupancy) = &self.occupancy {
            occupancy.chill();
        }
    }

    fn change<T>(&self, change: impl FnOnce(&mut Writer) -> T) -> T {
        let mut writer = self.writer.lock();
        let result = change(&mut writer);
        self.vitals.store(Arc::new(writer.vitals.clone()));
        result
    }
}

impl Vitals {
    /// Whether it gave no sign of life and failed besides.
    fn is_lost(&self, now: Instant) -> bool {
        self.trust.at(now) == Presence::Silent && self.breaker.at(now) != BreakerState::Closed
    }

    fn observe_latency(&mut self, seen: Observation, now: Instant) {
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

    fn observe_signal(&mut self, signal: Signal, seen: Observation, now: Instant, policy: &Policy) {
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
        let reported = self.load.as_ref()?;
        let current = match reported.holds {
            Reports::UntilReplaced => true,
            Reports::WhileFresh => !reported.orphaned && now.since(reported.received) < policy.stale_after,
        };
        current.then_some(reported)
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
