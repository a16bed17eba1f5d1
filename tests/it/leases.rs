//! The sum of what is in flight is the number of live leases, at all times, and nothing is left at rest.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::Duration,
};

use pointsman::{
    domain::{
        decision::Target,
        id::{LeaseId, ModelName, NodeId},
        load::{NodeLoad, Ratio},
        node::{NodeSpec, RequestType},
        outcome::{Outcome, OutcomeResult, Settlement},
        policy::{LeasePolicy, Policy},
        request::{RequestKey, RouteRequest},
        time::{Chance, Instant},
    },
    route::{self, Turn},
};
use proptest::prelude::*;

use crate::world::{World, idle_load, key, node_of, outcome, route_of, text, text_node};

#[derive(Debug, Clone)]
enum Step {
    Pick(u8),
    Retry(u8),
    End(u8, OutcomeResult),
    Renew(u8),
    Pass(u16),
    Sweep,
    Report(u8),
    Remove(u8),
}

fn step() -> impl Strategy<Value = Step> {
    let result =
        prop::sample::select(vec![OutcomeResult::Ok, OutcomeResult::Failed, OutcomeResult::Cancelled]);
    prop_oneof![
        4 => (0..20_u8).prop_map(Step::Pick),
        1 => (0..20_u8).prop_map(Step::Retry),
        3 => (0..20_u8, result).prop_map(|(request, result)| Step::End(request, result)),
        1 => (0..20_u8).prop_map(Step::Renew),
        1 => (0..20_000_u16).prop_map(Step::Pass),
        1 => Just(Step::Sweep),
        1 => (0..4_u8).prop_map(Step::Report),
        1 => (0..4_u8).prop_map(Step::Remove),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]
    #[test]
    fn in_flight_is_the_number_of_live_leases(steps in prop::collection::vec(step(), 1..300)) {
        let mut world = World::of_equal_nodes(Policy::default(), 4);
        // Removed nodes keep what was charged to them: the sum is taken over all nodes that ever were.
        let nodes: Vec<_> = world.state.nodes.topology().nodes.clone();
        for step in steps {
            take(&mut world, &step);
            let in_flight: usize = nodes.iter().map(|node| node.live.counts().in_flight as usize).sum();
            prop_assert_eq!(in_flight, world.state.leases.live(), "after {:?}", step);
        }
        world.pass(Duration::from_mins(2));
        world.state.sweep(&world.policy, world.now);
        prop_assert_eq!(world.state.leases.live(), 0);
        for node in &nodes {
            let counts = node.live.counts();
            prop_assert!(!node.live.flight.is_tried(world.now));
            prop_assert_eq!((counts.in_flight, counts.unseen), (0, 0));
        }
    }
}

fn take(world: &mut World, step: &Step) {
    match step {
        Step::Pick(request) => drop(world.decide(&text(&format!("r{request}")))),
        Step::Retry(request) => {
            let mut again = text(&format!("r{request}"));
            again.excluded = route_of(world.decide(&again)).iter().map(node_of).collect();
            drop(world.decide(&again));
        }
        Step::End(request, result) => drop(world.settle(&key(&format!("r{request}")), *result)),
        Step::Renew(request) => drop(world.settle(&key(&format!("r{request}")), OutcomeResult::Running)),
        Step::Pass(millis) => world.pass(Duration::from_millis(u64::from(*millis))),
        Step::Sweep => drop(world.state.sweep(&world.policy, world.now)),
        Step::Report(node) => drop(world.report(&format!("n{node}"), idle_load())),
        Step::Remove(node) => {
            let id = pointsman::domain::id::NodeId::parse(&format!("n{node}")).expect("a good id");
            drop(world.state.nodes.remove(&id));
        }
    }
}

/// Threads pick, retry, settle twice and sweep at once, over the same requests.
#[test]
fn concurrent_picks_outcomes_and_expiries_leave_nothing_behind() {
    let policy = Policy {
        leases: LeasePolicy { ttl: Duration::from_millis(1), ..LeasePolicy::default() },
        ..Policy::default()
    };
    let world = World::of_equal_nodes(policy, 8);
    let clock = AtomicU64::new(world.now.as_nanos());
    let now = || Instant::from_nanos(clock.fetch_add(1_000, Ordering::Relaxed));
    thread::scope(|scope| {
        for seed in 0..4 {
            let (world, now) = (&world, &now);
            scope.spawn(move || {
                let mut chance = Chance::with_seed(seed);
                for _ in 0..20_000 {
                    let request = text(&format!("r{}", chance.u8(..50)));
                    let mut turn = Turn { now: now(), chance: chance.fork() };
                    match chance.u8(..4) {
                        0 | 1 => drop(route::decide(&request, &world.state, &world.policy, &mut turn)),
                        2 => {
                            let ended = outcome(&request.key, OutcomeResult::Ok);
                            world.state.settle(&ended, &world.policy, now());
                            world.state.settle(&ended, &world.policy, now());
                        }
                        _ => drop(world.state.sweep(&world.policy, now())),
                    }
                }
            });
        }
    });
    world.state.sweep(&world.policy, now() + Duration::from_mins(2));
    assert_eq!((world.in_flight(), world.state.leases.live()), (0, 0));
}

#[test]
fn an_outcome_counts_once() {
    let mut world = World::of_equal_nodes(Policy::default(), 1);
    world.pick(&text("r1"));
    let node = || pointsman::domain::id::NodeId::parse("n0").expect("a good id");
    let end = |world: &mut World| world.settle(&key("r1"), OutcomeResult::Ok).settlement;
    assert_eq!(end(&mut world), Settlement::Settled(node()));
    assert_eq!(end(&mut world), Settlement::AlreadySettled(node()));
    world.pass(Duration::from_secs(11));
    world.state.sweep(&world.policy, world.now);
    assert_eq!(end(&mut world), Settlement::Unknown);
}

#[test]
fn an_outcome_after_expiry_still_tells_of_the_node() {
    let mut world = World::of_equal_nodes(Policy::default(), 1);
    world.pick(&text("r1"));
    world.pass(Duration::from_secs(61));
    let settled = world.settle(&key("r1"), OutcomeResult::Failed);
    assert!(matches!(settled.settlement, Settlement::Late(_)));
    let topology = world.state.nodes.topology();
    assert_eq!(topology.nodes[0].live.vitals().breaker.failure_ratio(world.now), 1.0);
    assert_eq!(world.state.leases.live(), 0);
}

#[test]
fn a_retry_moves_the_lease_and_the_first_attempts_outcome_still_counts() {
    let mut world = World::of_equal_nodes(Policy::default(), 2);
    let first = world.pick(&text("r1"));
    let mut again = text("r1");
    again.excluded = vec![node_of(&first)];
    let second = world.pick(&again);
    assert_ne!(second.targets.best().node(), first.targets.best().node());
    assert_eq!(world.in_flight(), 1, "the first lease has ended");
    let mut failed = outcome(&key("r1"), OutcomeResult::Failed);
    failed.lease = first.lease.map(|lease| lease.id);
    let settled = world.state.settle(&failed, &world.policy, world.now);
    assert_eq!(settled.settlement, Settlement::Late(node_of(&first)));
    assert_eq!(world.in_flight(), 1, "the second lease lives");
    failed.lease = Some(LeaseId(u64::MAX));
    assert_eq!(world.state.settle(&failed, &world.policy, world.now).settlement, Settlement::Unknown);
}

#[test]
fn a_stream_of_thirty_minutes_is_never_reaped() {
    let mut world = World::of_equal_nodes(Policy::default(), 1);
    world.pick(&text("long"));
    for _ in 0..60 {
        world.pass(Duration::from_secs(30));
        world.state.sweep(&world.policy, world.now);
        let renewed = world.settle(&key("long"), OutcomeResult::Running);
        assert!(matches!(renewed.settlement, Settlement::Renewed(_)));
    }
    assert_eq!(world.state.leases.live(), 1);
}

/// A gateway that dies leaves leases that expire: a minute later nothing is left of them.
#[test]
fn a_dead_gateways_picks_expire() {
    let mut world = World::of_equal_nodes(Policy::default(), 4);
    for i in 0..10_000 {
        world.pick(&text(&format!("r{i}")));
    }
    assert_eq!(world.in_flight(), 10_000);
    world.pass(Duration::from_mins(1));
    world.state.sweep(&world.policy, world.now);
    assert_eq!((world.in_flight(), world.state.leases.live()), (0, 0));
}

/// What ended is remembered only as long as there is room: the table is bounded at twice the live leases.
#[test]
fn memory_of_ended_requests_is_bounded() {
    let leases = LeasePolicy { live_max: 100, ..LeasePolicy::default() };
    let mut world = World::of_equal_nodes(Policy { leases, ..Policy::default() }, 4);
    for i in 0..10_000 {
        let name = format!("r{i}");
        world.pick(&text(&name));
        world.settle(&key(&name), OutcomeResult::Ok);
        assert!(world.state.leases.remembered() <= 201);
    }
}

/// Ten equal nodes, a thousand picks between two reports: nobody gets more than 1.2 times its share. The reports differ
/// by a hair: without the charge at the pick, all thousand would go to the node that looks least loaded.
#[test]
fn a_burst_between_two_reports_spreads() {
    let mut world = World::of_equal_nodes(Policy::default(), 10);
    for i in 0..10 {
        let cpu = Ratio::try_new(0.3 + f64::from(i) * 0.001).ok();
        world.report(&format!("n{i}"), NodeLoad { cpu, ..idle_load() });
    }
    for i in 0..1000 {
        world.pick(&text(&format!("r{i}")));
    }
    let topology = world.state.nodes.topology();
    let most = topology.nodes.iter().map(|node| node.live.counts().in_flight).max();
    assert!(most <= Some(120), "the busiest got {most:?} of 1000");
}

/// The pool of one node whose breaker is half-open, with its trial picked, beside one that is well.
fn a_trial(world: &mut World) -> RequestKey {
    let only = |id: &str| vec![NodeId::parse(id).expect("a good id")];
    for i in 0..5 {
        let request = RouteRequest { excluded: only("n1"), ..text(&format!("f{i}")) };
        world.pick(&request);
        world.settle(&request.key, OutcomeResult::Failed);
    }
    world.pass(world.policy.breaker.open_for);
    world.report("n0", idle_load());
    world.report("n1", idle_load());
    let trial = RouteRequest { excluded: only("n1"), ..text("trial") };
    assert_eq!(world.pick(&trial).targets.best().node(), "n0");
    assert!(is_refused_by_n0(world, "second"), "one at a time");
    trial.key
}

fn is_refused_by_n0(world: &mut World, request: &str) -> bool {
    let excluded = vec![NodeId::parse("n1").expect("a good id")];
    world.decide(&RouteRequest { excluded, ..text(request) }).outcome.is_err()
}

#[test]
fn a_trial_that_streams_its_answer_readmits_the_node_at_the_first_token() {
    let mut world = World::of_equal_nodes(Policy::default(), 2);
    let trial = a_trial(&mut world);
    let first_token_latency = Some(Duration::from_millis(80));
    let running = Outcome { first_token_latency, ..outcome(&trial, OutcomeResult::Running) };
    world.state.settle(&running, &world.policy, world.now);
    assert!(!is_refused_by_n0(&mut world, "third"));
}

#[test]
fn a_trial_of_which_nothing_is_heard_lapses() {
    let mut world = World::of_equal_nodes(Policy::default(), 2);
    a_trial(&mut world);
    world.pass(world.policy.breaker.open_for);
    world.report("n0", idle_load());
    world.report("n1", idle_load());
    assert!(!is_refused_by_n0(&mut world, "third"));
    assert!(is_refused_by_n0(&mut world, "fourth"), "again one at a time");
}

#[test]
fn a_retry_that_finds_no_node_has_left_the_first_one_all_the_same() {
    let mut world = World::of_equal_nodes(Policy::default(), 1);
    world.pick(&text("r1"));
    let excluded = vec![NodeId::parse("n0").expect("a good id")];
    assert!(world.decide(&RouteRequest { excluded, ..text("r1") }).outcome.is_err());
    assert_eq!((world.in_flight(), world.state.leases.live()), (0, 0));
}

#[test]
fn what_is_told_again_names_the_same_nodes_where_they_are_now() {
    let mut world = World::of_equal_nodes(Policy::default(), 4);
    let targets = |world: &mut World| {
        let route = world.pick(&text("r1"));
        let fallbacks = route.targets.fallbacks().iter();
        let of = |target: &Target| format!("{} at {}", target.node(), target.endpoint());
        (of(route.targets.best()), fallbacks.map(of).collect::<Vec<_>>())
    };
    let (best, fallbacks) = targets(&mut world);
    let [first, second] = &fallbacks[..] else { panic!("two fallbacks by default") };
    assert_eq!(targets(&mut world), (best.clone(), fallbacks.clone()));
    let id = |target: &str| NodeId::parse(target.split(' ').next().unwrap_or_default()).expect("a good id");
    // One registers anew, elsewhere; another is gone, and its name comes again.
    let endpoints = [(RequestType::Text, "http://moved".into())].into();
    world.register(NodeSpec { endpoints, ..NodeSpec::of(id(&best)) });
    world.state.nodes.remove(&id(first));
    world.register(text_node(id(first).as_str()));
    let moved = format!("{} at http://moved", id(&best));
    assert_eq!(targets(&mut world), (moved.clone(), vec![second.clone()]));
    // Where none of them is left, the lease still tells of its own.
    world.state.nodes.remove(&id(&best));
    assert_eq!(targets(&mut world), (best, vec![second.clone()]));
}

#[test]
fn a_name_that_is_used_again_for_another_request_gets_a_decision_of_its_own() {
    let mut world = World::of_equal_nodes(Policy::default(), 1);
    world.pick(&text("r1"));
    assert!(world.pick(&text("r1")).repeated);
    let model = ModelName::parse("other").expect("a good name");
    assert!(!world.pick(&RouteRequest { model, ..text("r1") }).repeated);
    assert_eq!(world.in_flight(), 1);
}
