//! Reports that come shuffled, twice or corrupted never change the state: against a model.

use pointsman::{api::convert, domain::load::NodeLoad, proto, state::nodes::node::Applied};
use proptest::{
    prelude::*,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};

use crate::world::{World, text_node};

/// What the table should hold: the load of the highest sequence number that was well-formed when it came.
#[derive(Default)]
struct Model {
    sequence: u64,
    load: Option<NodeLoad>,
}

/// A report as it might come: mostly sound, sometimes absurd.
fn any_load() -> impl Strategy<Value = proto::NodeLoad> {
    let fraction = || {
        prop_oneof![
            8 => (0.0..=1.0_f64).prop_map(Some),
            1 => Just(None),
            1 => prop::sample::select(vec![
                f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.0, -0.1, 1.000_001, 30.0, f64::MIN_POSITIVE, f64::MAX,
            ]).prop_map(Some),
        ]
    };
    let count = || {
        prop_oneof![
            8 => (0..1000_i64).prop_map(Some),
            1 => Just(None),
            1 => prop::sample::select(vec![-1, i64::MIN, i64::MAX, 1_000_001]).prop_map(Some),
        ]
    };
    let latency = prop_oneof![
        8 => Just(None),
        1 => (0..10_i64).prop_map(|seconds| Some(prost_types::Duration { seconds, nanos: 0 })),
        1 => prop::sample::select(vec![(i64::MIN, i32::MIN), (0, i32::MIN), (1, -1), (0, i32::MAX), (i64::MAX, 0)])
            .prop_map(|(seconds, nanos)| Some(prost_types::Duration { seconds, nanos })),
    ];
    (fraction(), fraction(), fraction(), count(), count(), latency).prop_map(
        |(cpu, memory, gpu, running, waiting, latency)| proto::NodeLoad {
            cpu_utilization: cpu,
            memory_utilization: memory,
            gpu_utilization: gpu,
            running_request_count: running,
            waiting_request_count: waiting,
            first_token_latency: latency,
            ..proto::NodeLoad::default()
        },
    )
}

fn is_sound(load: &proto::NodeLoad) -> bool {
    let fraction = |value: Option<f64>| value.is_none_or(|value| (0.0..=1.0).contains(&value));
    let count = |value: Option<i64>| value.is_none_or(|value| (0..=1_000_000).contains(&value));
    let latency = load.first_token_latency.is_none_or(|latency| {
        (0..=3600).contains(&latency.seconds) && (0..1_000_000_000).contains(&latency.nanos)
    });
    fraction(load.cpu_utilization)
        && fraction(load.memory_utilization)
        && fraction(load.gpu_utilization)
        && count(load.running_request_count)
        && count(load.waiting_request_count)
        && latency
}

/// A million reports: a hundred streams of ten thousand each.
#[test]
fn a_million_reports_leave_what_the_model_says() {
    let config = Config { cases: 100, failure_persistence: None, ..Config::default() };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let streams = prop::collection::vec((0..3_000_u64, any_load()), 10_000);
    TestRunner::new_with_rng(config, rng)
        .run(&streams, |reports| {
            play(&reports);
            Ok(())
        })
        .expect("no report breaks it");
}

fn play(reports: &[(u64, proto::NodeLoad)]) {
    let mut world = World::new(pointsman::domain::policy::Policy::default());
    let policy = world.policy.clone();
    let session = world.state.nodes.attend(text_node("n"), &policy, world.now).expect("there is room");
    let node = world.state.nodes.get(&session.id).expect("it is registered");
    let mut model = Model::default();
    for (sequence, wire) in reports {
        let checked = convert::load::load("load", Some(wire));
        assert_eq!(checked.is_ok(), is_sound(wire), "{wire:?}");
        let Ok(load) = checked else { continue };
        let applied = session.apply(*sequence, load.clone(), world.now, &policy.freshness);
        if *sequence > model.sequence {
            assert_eq!(applied, Applied::Applied);
            model = Model { sequence: *sequence, load: Some(load) };
        } else {
            assert_eq!(applied, Applied::Stale);
        }
        let vitals = node.live.vitals();
        assert_eq!(vitals.load.as_ref().map(|reported| &*reported.load), model.load.as_ref());
        world.pass(std::time::Duration::from_micros(10));
    }
}

#[test]
fn a_refused_report_names_its_fields() {
    let wire = proto::NodeLoad {
        cpu_utilization: Some(f64::NAN),
        waiting_request_count: Some(-5),
        ..proto::NodeLoad::default()
    };
    let refused = convert::load::load("report.load", Some(&wire)).expect_err("it is absurd");
    let fields: Vec<_> = refused.0.iter().map(|violation| violation.field.as_str()).collect();
    assert_eq!(fields, ["report.load.cpu_utilization", "report.load.waiting_request_count"]);
}

#[test]
fn an_old_stream_cannot_speak_for_a_node_that_a_new_one_registered() {
    let mut world = World::new(pointsman::domain::policy::Policy::default());
    let policy = world.policy.clone();
    let register =
        |world: &World| world.state.nodes.attend(text_node("n"), &policy, world.now).expect("room");
    let old = register(&world);
    let new = register(&world);
    let apply = |session: &pointsman::state::nodes::Session, world: &World| {
        session.apply(1, NodeLoad::default(), world.now, &policy.freshness)
    };
    assert_eq!(apply(&old, &world), Applied::Superseded);
    assert!(!old.close(world.now, &policy.freshness), "its end means nothing any more");
    assert_eq!(apply(&new, &world), Applied::Applied);
    world.state.nodes.remove(&new.id);
    world.pass(std::time::Duration::from_secs(1));
    assert_eq!(apply(&new, &world), Applied::Superseded, "the node was removed");
}
