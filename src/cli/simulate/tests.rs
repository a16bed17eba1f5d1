use std::time::Duration;

use super::*;
use crate::{
    domain::policy::Policy,
    sim::{faults, fleet, trace::Workload},
};

fn scenario(seed: u64) -> Scenario {
    Scenario {
        policy: Policy::default(),
        fleet: fleet::uniform(3, "a100-8b").expect("it is known"),
        report_interval: Duration::from_millis(100),
        report_delay: Duration::from_millis(20),
        replicas: 1,
        faults: vec![faults::Fault::parse("node=1,at=60s,for=60s,kind=dead").expect("it is well-formed")],
        seed,
    }
}

fn told(seed: u64) -> (String, String) {
    let trace = Trace::generate_rows(Workload::Chat, 300, 7);
    let contestants = ["expected_cost", "overlap_cost", "hash", "power_of_two"];
    let contestants = contestants.map(|name| contestant(name).expect("it is known"));
    let runs = played(&scenario(seed), &trace, 1.0, &contestants, &ProgressBar::hidden());
    let report = Report { trace: trace.name, nodes: 3, load_ratio: None, speed: 1.0, seed, runs };
    (json::json(&report).expect("it can be told").to_string(), chart::svg(&report))
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_one_others() {
    assert_eq!(told(1), told(1));
    assert_ne!(told(1).0, told(2).0);
}

#[test]
fn runs_stand_in_the_order_asked_for_and_lose_no_request() {
    let told: serde_json::Value = serde_json::from_str(&told(1).0).expect("it is JSON");
    let runs = told["runs"].as_array().expect("an array");
    let names: Vec<_> = runs.iter().map(|run| run["policy"].as_str().expect("a name")).collect();
    assert_eq!(names, ["expected_cost", "overlap_cost", "hash", "power_of_two"]);
    for run in runs {
        assert_eq!((&run["requests"], &run["refused_ratio"]), (&270.into(), &0.0.into()), "{run}");
        let picks: u64 =
            run["nodes"].as_array().expect("nodes").iter().filter_map(|node| node["picks"].as_u64()).sum();
        assert!(picks >= 300, "each request went somewhere, {picks} picks");
    }
}

#[test]
fn an_unknown_policy_gets_a_hint() {
    assert_eq!(contestant("expected-cost").expect_err("an underscore"), "did you mean `expected_cost`?");
    assert_eq!(contestant("perfect"), Ok(Contestant::Perfect));
}
