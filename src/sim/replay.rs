//! Replays a trace against a fleet, and asks a router where each request goes.
//!
//! One heap of events in virtual microseconds, ordered by time and then by when they were made; nothing else knows the
//! time. Equal seeds make equal runs.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap, HashSet},
};

use super::{
    engine::{Done, Engine, Job, Told, hardware::Hardware},
    faults::{Fault, FaultKind},
    trace::{Arrival, Trace},
};

/// A request reaches its engine so long after its pick, in microseconds (BLIS's fitted overhead of the API).
const DELIVERY_US: u64 = 15_600;
/// A request that finds its node dead is picked anew after so long.
const RETRY_US: u64 = 50_000;
/// How far back load is told in one span of time: so many spans a run.
pub const SPANS: usize = 240;

/// Who decides.
pub trait Router {
    /// A node tells how it is.
    fn report(&mut self, now: u64, report: &Report);
    /// A request wants a node.
    fn pick(&mut self, now: u64, ask: &Ask<'_>, fleet: &[Engine]) -> Verdict;
    /// A request's first token came.
    fn first_token(&mut self, now: u64, request: usize, latency_us: u64, cached_tokens: u32);
    /// A request was answered.
    fn done(&mut self, now: u64, request: usize, output_tokens: u32);
    /// A request's node broke off or was not there.
    fn failed(&mut self, now: u64, request: usize);
}

/// What a node tells.
#[derive(Debug, Clone, Copy)]
pub struct Report {
    /// The node.
    pub node: usize,
    /// When it was so, in microseconds.
    pub taken_at: u64,
    /// Number of the report.
    pub sequence: u64,
    /// What it said.
    pub told: Told,
}

/// What a request asks for.
#[derive(Debug)]
pub struct Ask<'a> {
    /// Its number.
    pub request: usize,
    /// Its tenant.
    pub tenant: u32,
    /// Its session.
    pub session: u32,
    /// What it is promised.
    pub tier: Tier,
    /// Time in which its first token is wanted, in milliseconds.
    pub deadline_ms: f64,
    /// Tokens of its prompt.
    pub input: u32,
    /// Its prompt's blocks.
    pub blocks: &'a [u64],
    /// Nodes that failed it.
    pub excluded: &'a [usize],
    /// Tokens of its answer: for those with perfect information.
    pub output: u32,
}

/// Where a request goes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Verdict {
    /// There.
    Node {
        /// The node.
        node: usize,
        /// Names the pick.
        ticket: u64,
        /// Tokens that are expected to be cached there.
        expected_cached: u32,
    },
    /// Nowhere.
    Refused,
}

/// What a request is promised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tier {
    /// First token within 1 s and twice the ideal time; 200 ms a token.
    Interactive,
    /// First token within 3 s and four times the ideal time; 300 ms a token.
    Standard,
    /// First token within a minute.
    Batch,
}

impl Tier {
    /// Every tier with its name.
    pub const NAMES: [(Self, &'static str); 3] =
        [(Self::Interactive, "interactive"), (Self::Standard, "standard"), (Self::Batch, "batch")];

    /// The tier of a session: 60, 30 and 10 percent.
    fn of_session(session: u32, seed: u64) -> Self {
        match mix(u64::from(session) ^ seed.rotate_left(32)) % 10 {
            0..6 => Self::Interactive,
            6..9 => Self::Standard,
            _ => Self::Batch,
        }
    }

    fn first_token_ms(self, ideal_ms: f64) -> f64 {
        match self {
            Self::Interactive => 1000.0 + 2.0 * ideal_ms,
            Self::Standard => 3000.0 + 4.0 * ideal_ms,
            Self::Batch => 60_000.0,
        }
    }

    fn token_ms(self) -> f64 {
        match self {
            Self::Interactive => 200.0,
            Self::Standard => 300.0,
            Self::Batch => f64::INFINITY,
        }
    }
}

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

/// What became of one request.
#[derive(Debug, Clone, Copy)]
pub struct Fate {
    /// Row of the trace.
    pub row: usize,
    /// Its tier.
    pub tier: Tier,
    /// When it came, in microseconds.
    pub arrived: u64,
    /// Time for the tokens that no cache could have saved, on a node of its own, in ms.
    pub ideal_ms: f64,
    /// Its first token, if one came.
    pub first_token: Option<u64>,
    /// Its end, if it was answered.
    pub finished: Option<u64>,
    /// Tokens of its prompt that were cached.
    pub cached: u32,
    /// Whether it was refused.
    pub refused: bool,
    /// Where it went last.
    pub node: usize,
    replica: usize,
    expected_cached: u32,
    ticket: u64,
}

impl Fate {
    /// First-token latency in ms, if the first token came.
    pub fn first_token_ms(&self) -> Option<f64> {
        self.first_token.map(|at| (at - self.arrived) as f64 / 1000.0)
    }

    /// Time per further token in ms.
    pub fn token_ms(&self, output: u32) -> Option<f64> {
        let further = f64::from(output.saturating_sub(1));
        let span = (self.finished? - self.first_token?) as f64 / 1000.0;
        Some(if further > 0.0 { span / further } else { 0.0 })
    }

    /// Whether it got what its tier is promised.
    pub fn in_time(&self, output: u32) -> bool {
        self.first_token_in_time() && self.token_ms(output).is_some_and(|ms| ms <= self.tier.token_ms())
    }

    /// Whether its first token came in time.
    pub fn first_token_in_time(&self) -> bool {
        self.first_token_ms().is_some_and(|ms| ms <= self.tier.first_token_ms(self.ideal_ms))
    }
}

/// What came of a replay.
#[derive(Debug)]
pub struct Replayed {
    /// Every request, in order of arrival.
    pub fates: Vec<Fate>,
    /// Per node: requests, prompt work computed, preemptions, and microseconds computing.
    pub nodes: Vec<NodeTally>,
    /// Per node and span: share of the span spent computing.
    pub load: Vec<Vec<f32>>,
    /// Length of a span in microseconds.
    pub span_us: u64,
    /// When the last request ended.
    pub ended: u64,
}

/// What one node did.
#[derive(Debug, Clone, Default)]
pub struct NodeTally {
    /// Requests sent to it.
    pub picks: u64,
    /// Prompt work computed.
    pub computed: f64,
    /// Preemptions.
    pub preemptions: u64,
    /// Microseconds spent computing.
    pub busy_us: u64,
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
    reports: Vec<Option<Report>>,
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
        (us / self.replay.speed) as u64
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
        let known =
            (known as u64 * u64::from(self.trace.block_tokens)).min(u64::from(entry.input) - 1) as u32;
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
        let job = Job {
            request,
            input: row.input,
            output: row.output.max(1),
            blocks: self.trace.blocks(row).to_vec(),
            expected_cached: fate.expected_cached,
            ticket: fate.ticket,
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
            let at = now + think.as_micros() as u64;
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
        self.reports[node] = Some(Report { node, taken_at: now, sequence: self.sequence, told });
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
        let Some(report) = self.reports[node] else { return };
        for router in &mut *self.routers {
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
                for router in &mut *self.routers {
                    router.report(now, &report);
                }
            }
        }
    }

    fn begin_fault(&mut self, now: u64, number: usize) {
        let Fault { node, kind, .. } = self.replay.faults[number];
        match kind {
            FaultKind::Slow(factor) => self.slow_down(now, node, factor),
            FaultKind::Silent => self.silent[node] = true,
            FaultKind::Dead => {
                self.dead[node] = true;
                self.steps[node] += 1;
                for request in self.engines[node].die() {
                    self.fail(now, request);
                }
            }
        }
    }

    fn slow_down(&mut self, now: u64, node: usize, factor: f64) {
        self.engines[node].slow = factor;
        if let Some(ends) = self.engines[node].interrupt(now) {
            self.put_off(node, ends);
        }
    }

    fn end_fault(&mut self, now: u64, number: usize) {
        let Fault { node, kind, .. } = self.replay.faults[number];
        match kind {
            FaultKind::Slow(_) => self.slow_down(now, node, 1.0),
            FaultKind::Silent => self.silent[node] = false,
            FaultKind::Dead => self.dead[node] = false,
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
        let (load, span_us) = spans(&self.samples, ended, self.engines.len());
        Replayed { fates: self.fates, nodes: tallies, load, span_us, ended }
    }
}

/// Busy shares by equal spans of time, from samples of busy time so far.
fn spans(samples: &[(u64, Vec<u64>)], ended: u64, nodes: usize) -> (Vec<Vec<f32>>, u64) {
    let span = (ended / SPANS as u64).max(1);
    let mut load = vec![vec![0.0; SPANS]; nodes];
    for pair in samples.windows(2) {
        let ((from, before), (until, after)) = (&pair[0], &pair[1]);
        let index = ((from / span) as usize).min(SPANS - 1);
        let _ = until;
        for node in 0..nodes {
            load[node][index] += (after[node] - before[node]) as f32 / span as f32;
        }
    }
    (load, span)
}

/// Spreads a number over all 64 bits (SplitMix64's finish).
pub fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}
