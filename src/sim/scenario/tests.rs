use super::*;
use crate::sim::{fleet, trace::Workload};

fn scenario(faults: Vec<Fault>) -> Scenario {
    Scenario {
        policy: Policy::default(),
        fleet: fleet::uniform(4, "h100x4-70b").expect("it is known"),
        report_interval: Duration::from_millis(100),
        report_delay: Duration::from_millis(20),
        replicas: 1,
        faults,
        seed: 3,
    }
}

fn policy(balance: Balance) -> Contestant {
    Contestant::Policy(balance)
}

/// The promise of the whole: more in time than the rules of other routers, and nearly as much as perfect information.
#[test]
fn expected_cost_is_ahead_of_the_others_and_close_to_perfect_information() {
    let trace = Trace::generate_rows(Workload::Chat, 1500, 5);
    let in_time = |contestant| scenario(Vec::new()).run(&trace, 0.5, contestant).in_time;
    let ours = in_time(policy(Balance::ExpectedCost));
    for other in
        [Balance::OverlapCost, Balance::WeightedScorers, Balance::PrefixThenLoad, Balance::LeastInFlight]
    {
        let other_in_time = in_time(policy(other));
        assert!(ours >= other_in_time, "{}: {other_in_time} against {ours}", other.name());
    }
    let perfect = in_time(Contestant::Perfect);
    assert!(perfect - ours < 0.015, "{perfect} against {ours}");
}

#[test]
fn above_saturation_refusing_the_late_keeps_most_in_time() {
    let trace = Trace::generate_rows(Workload::ShortPrompts, 3000, 5);
    let mut scenario =
        Scenario { fleet: fleet::uniform(1, "h100x4-70b").expect("it is known"), ..scenario(Vec::new()) };
    let without = scenario.run(&trace, 3.0, policy(Balance::ExpectedCost));
    scenario.policy.cost.refuse_late = crate::domain::policy::Refusal::Late;
    let with = scenario.run(&trace, 3.0, policy(Balance::ExpectedCost));
    assert!(with.in_time > without.in_time + 0.1, "{} against {}", with.in_time, without.in_time);
    assert!(with.refused_ratio > 0.0 && without.refused_ratio == 0.0);
}

#[test]
fn a_node_that_died_takes_its_share_again_when_it_is_back() {
    let trace = Trace::generate_rows(Workload::ShortPrompts, 4000, 5);
    let fault = Fault::parse("node=2,at=100s,for=60s,kind=dead").expect("it is well-formed");
    let run = scenario(vec![fault]).run(&trace, 4.0, policy(Balance::ExpectedCost));
    let between = |node: usize, from: f64, until: f64| {
        let spans = run.load[node].iter().enumerate();
        let inside = spans.filter(move |(index, _)| (from..until).contains(&(*index as f64 * run.span_s)));
        inside.map(|(_, busy)| *busy).sum::<f32>()
    };
    assert_eq!(between(2, 115.0, 155.0), 0.0, "it is dead");
    let busy = |node: usize| between(node, 190.0, 260.0);
    let mean = (0..4).map(busy).sum::<f32>() / 4.0;
    assert!(busy(2) > 0.5 * mean, "back after half a minute: {} of {mean}", busy(2));
}

#[test]
fn saturation_is_between_what_is_kept_and_what_is_not() {
    let trace = Trace::generate_rows(Workload::Chat, 400, 5);
    let mut steps = 0;
    let saturation = scenario(Vec::new()).saturation(&trace, || steps += 1).expect("it saturates");
    let kept = |speed| first_tokens_in_time(&scenario(Vec::new()).play(&trace, speed, Contestant::Perfect));
    assert!(kept(saturation) >= SATURATED && steps < 30);
    assert!(kept(saturation * 1.5) < SATURATED);
}
