use std::{
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
    time::Duration,
};

use super::*;
use crate::{
    domain::policy::Policy,
    sim::{fleet, trace::Workload},
};

fn scenario(policy: Policy) -> Scenario {
    Scenario {
        policy,
        fleet: fleet::uniform(3, "a100-8b").expect("it is known"),
        report_interval: Duration::from_millis(100),
        report_delay: Duration::from_millis(20),
        replicas: 1,
        faults: Vec::new(),
        seed: 1,
    }
}

/// Weights so wrong that every step away from them shows.
#[test]
fn a_search_leaves_weights_that_are_far_off() {
    let trace = Trace::generate_rows(Workload::Agents, 400, 7);
    let mut policy = Policy::default();
    policy.cost.batching = 100.0;
    let scenario = scenario(policy);
    let runs = AtomicUsize::new(0);
    let best = scenario.tuned(&trace, 2.0, || {
        runs.fetch_add(1, Relaxed);
    });
    assert!(best.cost.batching < 40.0, "{}", best.cost.batching);
    assert!(best.beats(&scenario.trial(&trace, 2.0, policy_cost(100.0))));
    assert!(runs.load(Relaxed) <= RUNS_MAX);
}

fn policy_cost(batching: f64) -> CostPolicy {
    CostPolicy { batching, ..CostPolicy::default() }
}

#[test]
fn weights_are_scaled_to_two_digits_and_stay_in_their_range() {
    let scaled = |value: f64, factor| *WEIGHTS[1].1(&mut scaled(policy_cost(value), WEIGHTS[1].1, factor));
    assert_eq!([scaled(0.02, 3.0), scaled(0.02, 1.0 / 3.0), scaled(10.0, 1.0 / 3.0)], [0.06, 0.0067, 3.3]);
    assert_eq!(scaled(0.0, 3.0), 0.0);
    let price = WEIGHTS[3].1;
    let cheap = CostPolicy { price_max: 2.0, ..CostPolicy::default() };
    assert_eq!(super::scaled(cheap, price, 1.0 / 3.0).price_max, 1.0);
    assert_eq!(super::scaled(CostPolicy { price_max: 50.0, ..cheap }, price, 3.0).price_max, 100.0);
}
