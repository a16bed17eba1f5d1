//! One node: what it declared, and what is known of it now.
//!
//! Writers (reports, outcomes, operators) change [`Vitals`] under a lock and publish a copy; picks read the copy and
//! the counts in flight, and take no lock.

use std::sync::Arc;

use arc_swap::ArcSwap;
use parking_lot::Mutex;

use super::{
    flight::{Charge, Flight, FlightCounts},
    ledger::{Ledger, Sample},
    marks::{Change, Watch},
    prefixes::Occupancy,
    trust::Trust,
    vitals::{Observation, Reported, Reports, Vitals},
};
use crate::domain::{
    decision::Target,
    id::NodeNumber,
    load::NodeLoad,
    node::{BreakerState, NodeOrigin, NodeSpec, RequestType},
    policy::{FreshnessPolicy, Policy},
    prefix::PrefixPolicy,
    time::Instant,
};

/// A node of the fleet. Registering again makes a new one around the same [`Live`].
#[derive(Debug, Clone)]
pub struct Node {
    /// What it declared.
    pub spec: NodeSpec,
    /// How it became known.
    pub origin: NodeOrigin,
    /// What is known of it now.
    pub live: Arc<Live>,
    /// Its endpoints, as routes name them, by type.
    targets: [Option<Target>; RequestType::NAMES.len()],
}

/// What is known of a node, from the time it registers until it is forgotten. Leases hold it too, so that each
/// releases the counter that it charged, whatever became of the node.
#[derive(Debug)]
pub struct Live {
    /// What the table knows it by.
    pub number: NodeNumber,
    /// What we sent to it.
    pub flight: Flight,
    /// The work of what we sent to it that it has not begun to answer.
    pub ledger: Ledger,
    /// What its cache is taken to hold; `None` where the index has no place for it.
    pub occupancy: Option<Arc<Occupancy>>,
    /// The boards that are told of each change.
    watch: Arc<Watch>,
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

impl Node {
    /// A node as it declares itself now.
    pub fn new(spec: NodeSpec, origin: NodeOrigin, live: Arc<Live>) -> Self {
        let mut targets = [const { None }; RequestType::NAMES.len()];
        for (request_type, endpoint) in &spec.endpoints {
            targets[*request_type as usize] = Some(Target::new(&spec.id, live.number, endpoint));
        }
        Self { spec, origin, live, targets }
    }

    /// Where it takes requests of a type; `None` where it takes none.
    pub fn target(&self, request_type: RequestType) -> Option<&Target> {
        self.targets[request_type as usize].as_ref()
    }

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
    pub fn new(number: NodeNumber, policy: &Policy, trust: Trust, occupancy: Option<Arc<Occupancy>>) -> Self {
        let vitals = Vitals::new(policy, trust);
        Self {
            number,
            flight: Flight::default(),
            ledger: Ledger::default(),
            watch: occupancy.as_ref().map(|occupancy| Arc::clone(occupancy.watch())).unwrap_or_default(),
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

    /// The boards that are told of each change.
    pub(super) fn watch(&self) -> &Watch {
        &self.watch
    }

    /// Charges the pick with this number: its own work, and that together with what lies before it.
    pub fn charge(
        &self,
        pick: u64,
        trial: Option<Instant>,
        (work, ahead): (f64, f64),
        now: Instant,
    ) -> Charge {
        let charge = self.flight.charge(pick, trial);
        self.ledger.enter(pick, work, ahead, now);
        self.watch.changed(Change::Sums);
        charge
    }

    /// Releases what a pick charged.
    pub fn release(&self, pick: u64, charge: &Charge, now: Instant) {
        self.flight.release(charge);
        self.ledger.strike(pick, now);
        self.watch.changed(Change::Sums);
    }

    /// A pick's first token has come. `None` if its work was struck out before.
    pub fn begun(&self, pick: u64, now: Instant) -> Option<Sample> {
        let sample = self.ledger.strike(pick, now);
        self.watch.changed(Change::Sums);
        sample
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
        self.watch.changed(Change::Any);
        result
    }
}
