//! A fleet that is asked for more than it can do, in virtual time: who pays for it, and for how long?

use std::{
    collections::{BTreeMap, VecDeque},
    num::NonZeroU32,
    time::Duration,
};

use pointsman::domain::{
    decision::{Granted, Rung},
    load::{NodeLoad, Ratio},
    node::{NodeClass, NodeSpec},
    outcome::OutcomeResult,
    policy::{FreshnessPolicy, Policy, Spill, SpillPolicy},
    request::{Priority, RequestKey, RouteRequest, Tier},
    time::Instant,
};

use crate::world::{World, text, text_node};

const STEP: Duration = Duration::from_millis(5);
const NODES: usize = 10;
const SLOTS: usize = 16;
const SERVICE_TIME: Duration = Duration::from_millis(500);
/// From the moment that a node begins with a request.
const FIRST_TOKEN: Duration = Duration::from_millis(300);
/// What all nodes can do together.
const CAPACITY_PER_SECOND: f64 = 320.0;
const PREMIUM_SHARE: f64 = 0.3;

/// A stretch of the scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Calm,
    Peak,
    After,
}

impl Phase {
    const ALL: [(Self, Duration, f64); 3] = [
        (Self::Calm, Duration::from_secs(20), 0.5),
        (Self::Peak, Duration::from_secs(40), 1.2),
        (Self::After, Duration::from_secs(20), 0.5),
    ];
}

/// A simulated node: slots, and a line before them.
#[derive(Default)]
struct Server {
    running: Vec<(Instant, RequestKey)>,
    line: VecDeque<(Instant, RouteRequest)>,
}

/// What was seen.
#[derive(Default)]
struct Seen {
    /// First-token latencies of premium requests by the phase in which they came.
    premium: BTreeMap<Phase, Vec<Duration>>,
    premium_refused: usize,
    low_refused: BTreeMap<Phase, usize>,
    normal_refused: usize,
    /// When the rung changed, and to what.
    rungs: Vec<(Duration, Rung)>,
    last_refused: Duration,
}

struct Scenario {
    world: World,
    servers: Vec<Server>,
    seen: Seen,
    began: Instant,
    number: u64,
    due: f64,
}

fn policy() -> Policy {
    let report_interval = Duration::from_millis(100);
    Policy {
        spill: SpillPolicy { when: Spill::WhenEmpty, ..SpillPolicy::default() },
        freshness: FreshnessPolicy { report_interval, ..FreshnessPolicy::default() },
        ..Policy::default()
    }
}

fn run(policy: Policy) -> Seen {
    let mut world = World::new(policy);
    for i in 0..NODES {
        let queue_capacity = NonZeroU32::new(8);
        world.register(NodeSpec { class: NodeClass::High, queue_capacity, ..text_node(&format!("n{i}")) });
    }
    let servers = (0..NODES).map(|_| Server::default()).collect();
    let began = world.now;
    let mut scenario = Scenario { world, servers, seen: Seen::default(), began, number: 0, due: 0.0 };
    for (phase, lasts, load) in Phase::ALL {
        let steps = lasts.as_millis() / STEP.as_millis();
        (0..steps).for_each(|step| scenario.step(phase, load, step));
    }
    scenario.seen
}

impl Scenario {
    fn step(&mut self, phase: Phase, load: f64, step: u128) {
        self.serve(phase);
        for i in 0..NODES {
            // Each node reports every 100 ms, one after the other.
            if step % 20 == 2 * i as u128 {
                self.report(i);
            }
        }
        self.due += CAPACITY_PER_SECOND * load * STEP.as_secs_f64();
        while self.due >= 1.0 {
            self.due -= 1.0;
            self.arrive(phase);
        }
        self.world.pass(STEP);
    }

    fn report(&mut self, i: usize) {
        let server = &self.servers[i];
        let busy = Ratio::try_new(server.running.len() as f64 / SLOTS as f64).ok();
        let count = |count| u32::try_from(count).ok();
        let load = NodeLoad {
            cpu: busy,
            memory: busy,
            running: count(server.running.len()),
            waiting: count(server.line.len()),
            ..NodeLoad::default()
        };
        self.world.report(&format!("n{i}"), load);
    }

    fn arrive(&mut self, phase: Phase) {
        self.number += 1;
        let is_premium = self.world.chance.f64() < PREMIUM_SHARE;
        let tier = if is_premium { Tier::Premium } else { Tier::Free };
        let priority = if self.world.chance.bool() { Priority::Low } else { Priority::Normal };
        let request = RouteRequest { tier, priority, ..text(&format!("r{}", self.number)) };
        let decision = self.world.decide(&request);
        let at = self.world.now.since(self.began);
        if let Some(pool) = decision.turned {
            self.seen.rungs.push((at, pool.rung));
        }
        match decision.outcome {
            Ok(Granted::Route(route)) => {
                let node: usize = route.targets.best().node()[1..].parse().expect("n0 to n9");
                self.servers[node].line.push_back((self.world.now, request));
            }
            Ok(Granted::Answer(answer)) => panic!("nothing is cached, and yet {answer:?}"),
            Err(_) => self.refused(&request, phase, at),
        }
    }

    fn refused(&mut self, request: &RouteRequest, phase: Phase, at: Duration) {
        self.seen.last_refused = at;
        match (request.tier, request.priority) {
            (Tier::Premium, _) => self.seen.premium_refused += 1,
            (Tier::Free, Priority::Low) => *self.seen.low_refused.entry(phase).or_default() += 1,
            (Tier::Free, _) => self.seen.normal_refused += 1,
        }
    }

    /// Ends what is done, and begins what has waited.
    fn serve(&mut self, phase: Phase) {
        let now = self.world.now;
        for server in &mut self.servers {
            let done = |(ends, _): &mut (Instant, RequestKey)| *ends <= now;
            for (_, key) in server.running.extract_if(.., done) {
                self.world.settle(&key, OutcomeResult::Ok);
            }
            while server.running.len() < SLOTS
                && let Some((arrived, request)) = server.line.pop_front()
            {
                if request.tier == Tier::Premium {
                    let latency = now.since(arrived) + FIRST_TOKEN;
                    self.seen.premium.entry(phase).or_default().push(latency);
                }
                // Not all alike, or all would end at once.
                let lasts = SERVICE_TIME.mul_f64(0.5 + self.world.chance.f64());
                server.running.push((now + lasts, request.key));
            }
        }
    }
}

fn p99(latencies: &[Duration]) -> Duration {
    let mut sorted = latencies.to_vec();
    sorted.sort();
    sorted[sorted.len() * 99 / 100]
}

#[test]
fn free_low_priority_pays_for_a_peak_and_nobody_after_it() {
    let seen = run(policy());
    let [calm, peak] = [Phase::Calm, Phase::Peak].map(|phase| p99(&seen.premium[&phase]));
    println!("premium p99: calm {calm:?}, peak {peak:?}; rungs {:?}", seen.rungs);
    println!("low refused {:?}, last at {:?}", seen.low_refused, seen.last_refused);
    assert_eq!((seen.premium_refused, seen.normal_refused), (0, 0));
    assert!(peak <= calm.mul_f64(1.2), "{peak:?} in the peak, {calm:?} before");
    assert!(seen.low_refused[&Phase::Peak] > 1000);
    assert!(!seen.low_refused.contains_key(&Phase::Calm));
    assert!(seen.last_refused <= Duration::from_secs(62), "two seconds after the peak all is well");
    assert!(seen.rungs.len() <= 4, "at most two changes a crossing: {:?}", seen.rungs);
}

#[test]
fn without_degradation_premium_pays_too() {
    let mut policy = policy();
    policy.degradation.thresholds.busy.enter = f64::INFINITY;
    policy.degradation.thresholds.overloaded.enter = f64::INFINITY;
    let seen = run(policy);
    let [calm, peak] = [Phase::Calm, Phase::Peak].map(|phase| p99(&seen.premium[&phase]));
    println!("premium p99 without degradation: calm {calm:?}, peak {peak:?}");
    assert!(peak > calm.mul_f64(1.2));
}
