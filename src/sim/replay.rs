//! Replays a trace against a fleet, and asks a router where each request goes.
//!
//! One heap of events in virtual microseconds, ordered by time and then by when they were made; nothing else knows the
//! time. Equal seeds make equal runs.

mod fate;
mod outcome;
mod router;
mod trouble;

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap, HashSet},
};

use super::{
    clock::{micros, rounded},
    engine::{Done, Engine, Job, hardware::Hardware},
    faults::{Fault, FaultKind},
    trace::{Arrival, Trace},
};

pub use fate::{Fate, Tier};
pub use outcome::{NodeTally, Replayed, SPANS};
pub use router::{Ask, Report, Router, Verdict};

/// A request reaches its engine so long after its pick, in microseconds (BLIS's fitted overhead of the API).
const DELIVERY_US: u64 = 15_600;
/// A request that finds its node dead is picked anew after so long.
const RETRY_US: u64 = 50_000;
/// How a trace is replayed.
#[derive(Debug, Clone)]
pub struct Replay {
    /// Hardware of each node.
    pub fleet: Vec<Hardware>,
    /// How many times faster than it was recorded.
    pub speed: f64,
    /// Time between a node's reports, in microseconds.
    pub report_interval_us: u64,
    /// Time until a report arrives, in microseconds.
    pub report_delay_us: u64,
    /// What goes wrong.
    pub faults: Vec<Fault>,
    /// Makes chance repeatable.
    pub seed: u64,
    /// How a node takes reports to be told before each pick, with no delay.
    pub perfect: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Arrive(usize),
    Pick(usize),
    Deliver { request: usize, node: usize },
    StepEnd { node: usize, number: u64 },
    TakeReport(usize),
    Report(usize),
    Begin(usize),
    End(usize),
}

struct Run<'a> {
    trace: &'a Trace,
    replay: &'a Replay,
    routers: &'a mut [&'a mut dyn Router],
    chance: fastrand::Rng,
    events: BinaryHeap<Reverse<(u64, u64, Event)>>,
    made: u64,
    engines: Vec<Engine>,
    /// Number of the step that each node computes, so that ends which were put off are known.
    steps: Vec<u64>,
    dead: Vec<bool>,
    silent: Vec<bool>,
    sequence: u64,
    /// What each node told last, and which picks of each router it had then.
    reports: Vec<Option<(Report, Vec<u64>)>>,
    fates: Vec<Fate>,
    excluded: HashMap<usize, Vec<usize>>,
    /// The next turn of each session, by row.
    followers: Vec<Option<u32>>,
    seen: HashSet<u64>,
    fastest: Hardware,
    tallies: Vec<NodeTally>,
    samples: Vec<(u64, Vec<u64>)>,
    unfinished: usize,
}

/// Replays a trace. Requests are dealt to the routers at random.
pub fn replay<'a>(trace: &'a Trace, replay: &'a Replay, routers: &'a mut [&'a mut dyn Router]) -> Replayed {
    let mut run = Run::new(trace, replay, routers);
    run.seed_events();
    while run.unfinished > 0 {
        let Some(Reverse((now, _, event))) = run.events.pop() else { break };
        run.on(now, event);
    }
    run.finish()
}

impl<'a> Run<'a> {
    fn new(trace: &'a Trace, replay: &'a Replay, routers: &'a mut [&'a mut dyn Router]) -> Self {
        let nodes = replay.fleet.len();
        let fastest = *replay
            .fleet
            .iter()
            .min_by(|a, b| a.step_ms(2048, 1).total_cmp(&b.step_ms(2048, 1)))
            .expect("a fleet has a node");
        Self {
            trace,
            replay,
            routers,
            chance: fastrand::Rng::with_seed(replay.seed),
            events: BinaryHeap::new(),
            made: 0,
            engines: replay.fleet.iter().map(|hardware| Engine::new(*hardware, trace.block_tokens)).collect(),
            steps: vec![0; nodes],
            dead: vec![false; nodes],
            silent: vec![false; nodes],
            sequence: 0,
            reports: vec![None; nodes],
            fates: Vec::with_capacity(trace.rows.len()),
            excluded: HashMap::new(),
            followers: trace.followers(),
            seen: HashSet::new(),
            fastest,
            tallies: vec![NodeTally::default(); nodes],
            samples: Vec::new(),
            unfinished: trace.rows.len(),
        }
    }

    fn seed_events(&mut self) {
        for (row, entry) in self.trace.rows.iter().enumerate() {
            if let Arrival::At(at) = entry.arrival {
                let at = self.scaled(at.as_micros() as f64);
                self.at(at, Event::Arrive(row));
            }
        }
        for node in 0..self.engines.len() {
            // Not all in the same moment.
            let offset = self.chance.u64(..self.replay.report_interval_us.max(1));
            self.at(offset, Event::TakeReport(node));
        }
        for (number, fault) in self.replay.faults.iter().enumerate() {
            let (at, until) = (fault.at_us, fault.at_us.saturating_add(fault.for_us));
            self.at(at, Event::Begin(number));
            self.at(until, Event::End(number));
        }
    }

    fn scaled(&self, us: f64) -> u64 {
        rounded(us / self.replay.speed)
    }

    fn at(&mut self, at: u64, event: Event) {
        self.made += 1;
        self.events.push(Reverse((at, self.made, event)));
    }

    fn on(&mut self, now: u64, event: Event) {
        match event {
            Event::Arrive(row) => self.arrive(now, row),
            Event::Pick(request) => self.pick(now, request),
            Event::Deliver { request, node } => self.deliver(now, request, node),
            Event::StepEnd { node, number } => self.end_step(now, node, number),
            Event::TakeReport(node) => self.take_report(now, node),
            Event::Report(node) => self.tell(now, node),
            Event::Begin(fault) => self.begin_fault(now, fault),
            Event::End(fault) => self.end_fault(now, fault),
        }
    }

    fn arrive(&mut self, now: u64, row: usize) {
        let entry = &self.trace.rows[row];
        let blocks = self.trace.blocks(entry);
        let known = blocks.iter().take_while(|block| self.seen.contains(block)).count();
        self.seen.extend(&blocks[known..]);
        let known = u32::try_from(known).unwrap_or(u32::MAX);
        let known = known.saturating_mul(self.trace.block_tokens).min(entry.input - 1);
        let request = self.fates.len();
        self.fates.push(Fate {
            row,
            tier: Tier::of_session(entry.session, self.replay.seed),
            arrived: now,
            ideal_ms: self.fastest.prefill_ms(entry.input - known, known),
            first_token: None,
            finished: None,
            cached: 0,
            refused: false,
            node: 0,
            replica: self.chance.usize(..self.routers.len()),
            expected_cached: 0,
            ticket: 0,
        });
        self.pick(now, request);
    }

    fn pick(&mut self, now: u64, request: usize) {
        if self.replay.perfect {
            self.tell_all(now);
        }
        let fate = &self.fates[request];
        let row = &self.trace.rows[fate.row];
        let none = Vec::new();
        let ask = Ask {
            request,
            tenant: row.tenant,
            session: row.session,
            tier: fate.tier,
            deadline_ms: fate.tier.first_token_ms(fate.ideal_ms),
            input: row.input,
            blocks: self.trace.blocks(row),
            excluded: self.excluded.get(&request).unwrap_or(&none),
            output: row.output,
        };
        match self.routers[fate.replica].pick(now, &ask, &self.engines) {
            Verdict::Node { node, ticket, expected_cached } => {
                let fate = &mut self.fates[request];
                (fate.node, fate.ticket, fate.expected_cached) = (node, ticket, expected_cached);
                self.tallies[node].picks += 1;
                self.at(now + DELIVERY_US, Event::Deliver { request, node });
            }
            Verdict::Refused => {
                self.fates[request].refused = true;
                self.over(now, request);
            }
        }
    }

    fn deliver(&mut self, now: u64, request: usize, node: usize) {
        let fate = self.fates[request];
        if self.dead[node] {
            return self.fail(now, request);
        }
        let row = &self.trace.rows[fate.row];
        if !self.engines[node].fits(row.input) {
            // As engines do: such a prompt is turned away at once, wherever it goes.
            self.fates[request].refused = true;
            self.routers[fate.replica].done(now, request, 0);
            return self.over(now, request);
        }
        let job = Job {
            request,
            input: row.input,
            output: row.output.max(1),
            blocks: self.trace.blocks(row).to_vec(),
            expected_cached: fate.expected_cached,
            ticket: fate.ticket,
            router: fate.replica,
        };
        match self.engines[node].submit(job, now) {
            Some(ends) => self.put_off(node, ends),
            None => self.begin_step(now, node),
        }
    }

    /// The step under way ends at another time than was thought.
    fn put_off(&mut self, node: usize, ends: u64) {
        let number = self.steps[node];
        self.at(ends, Event::StepEnd { node, number });
    }

    fn begin_step(&mut self, now: u64, node: usize) {
        if let Some(ends) = self.engines[node].begin(now) {
            self.steps[node] += 1;
            let number = self.steps[node];
            self.at(ends, Event::StepEnd { node, number });
        }
    }

    fn end_step(&mut self, now: u64, node: usize, number: u64) {
        if self.steps[node] != number || self.engines[node].ends() != Some(now) {
            return;
        }
        let mut done = Vec::new();
        self.engines[node].end(&mut done);
        for done in done {
            self.heard(now, done);
        }
        self.begin_step(now, node);
    }

    fn heard(&mut self, now: u64, done: Done) {
        match done {
            Done::FirstToken { request, cached } => {
                let fate = &mut self.fates[request];
                let latency = now - fate.arrived;
                if fate.first_token.is_none() {
                    (fate.first_token, fate.cached) = (Some(now), cached);
                }
                self.routers[fate.replica].first_token(now, request, latency, cached);
            }
            Done::Finished { request } => {
                let fate = &mut self.fates[request];
                fate.finished = Some(now);
                let output = self.trace.rows[fate.row].output;
                self.routers[fate.replica].done(now, request, output);
                self.over(now, request);
            }
        }
    }

    /// The next turn of the session comes.
    fn over(&mut self, now: u64, request: usize) {
        self.unfinished -= 1;
        let row = self.fates[request].row;
        let next = self.followers[row].map(|next| next as usize);
        if let Some((next, Arrival::After { think })) = next.map(|next| (next, self.trace.rows[next].arrival))
        {
            // People think as long as they do, however fast conversations begin.
            let at = now + micros(think);
            self.at(at, Event::Arrive(next));
        }
    }

    fn fail(&mut self, now: u64, request: usize) {
        let fate = &self.fates[request];
        let (replica, node) = (fate.replica, fate.node);
        self.routers[replica].failed(now, request);
        let excluded = self.excluded.entry(request).or_default();
        // It is not held against a node for ever: it may be the only one.
        excluded.clear();
        excluded.push(node);
        self.at(now + RETRY_US, Event::Pick(request));
    }

    fn take_report(&mut self, now: u64, node: usize) {
        let interval = self.replay.report_interval_us.max(1);
        self.at(now + interval, Event::TakeReport(node));
        self.sample(now, node);
        if self.dead[node] || self.silent[node] {
            return;
        }
        let told = self.engines[node].report(now);
        self.sequence += 1;
        let received = (0..self.routers.len()).map(|router| self.engines[node].received(router)).collect();
        self.reports[node] = Some((Report { node, taken_at: now, sequence: self.sequence, told }, received));
        if !self.replay.perfect {
            self.at(now + self.replay.report_delay_us, Event::Report(node));
        }
    }

    fn sample(&mut self, now: u64, node: usize) {
        if node == 0 {
            let busy = self.engines.iter().map(|engine| engine.busy_us(now)).collect();
            self.samples.push((now, busy));
        }
    }

    fn tell(&mut self, now: u64, node: usize) {
        let Some((report, received)) = &self.reports[node] else { return };
        for (number, router) in self.routers.iter_mut().enumerate() {
            let mut report = *report;
            report.told.received_ticket = received.get(number).copied().unwrap_or(0);
            router.report(now, &report);
        }
    }

    fn tell_all(&mut self, now: u64) {
        for node in 0..self.engines.len() {
            if !self.dead[node] {
                self.sequence += 1;
                let report = Report {
                    node,
                    taken_at: now,
                    sequence: self.sequence,
                    told: self.engines[node].standing(),
                };
                for (number, router) in self.routers.iter_mut().enumerate() {
                    let mut report = report;
                    report.told.received_ticket = self.engines[node].received(number);
                    router.report(now, &report);
                }
            }
        }
    }

    fn finish(self) -> Replayed {
        let ended = self.fates.iter().filter_map(|fate| fate.finished).max().unwrap_or(0);
        let mut tallies = self.tallies;
        for (tally, engine) in tallies.iter_mut().zip(&self.engines) {
            tally.computed = engine.computed;
            tally.preemptions = engine.preemptions;
            tally.busy_us = engine.busy_us(ended);
        }
        let (load, span_us) = outcome::spans(&self.samples, ended, self.engines.len());
        Replayed { fates: self.fates, nodes: tallies, load, span_us, ended }
    }
}
