use super::*;
use crate::{
    domain::{
        id::{NodeId, NodeNumber},
        node::{NodeOrigin, NodeSpec},
        policy::Policy,
    },
    state::nodes::{node::Live, trust::Trust},
};

fn fleet(count: usize, policy: &Policy, registered: Instant) -> Vec<Arc<Node>> {
    let trust = Trust::registered(&policy.freshness, registered);
    let node = |number| {
        let spec = NodeSpec::of(NodeId::parse(&format!("n{number}")).expect("a good id"));
        Node::new(spec, NodeOrigin::Agent, Arc::new(Live::new(NodeNumber::default(), policy, trust, None)))
    };
    (0..count).map(|number| Arc::new(node(number))).collect()
}

/// At the moment when all fall silent, and how much later that is known.
fn known_after(count: usize) -> Duration {
    let policy = Policy::default();
    let registered = Instant::after_start(Duration::from_secs(1));
    let nodes = fleet(count, &policy, registered);
    let freeze = Freeze::default();
    let silent = registered + policy.freshness.stale_after;
    assert!(!freeze.is_on(&nodes, &policy.freshness, registered));
    assert!(!freeze.is_on(&nodes, &policy.freshness, silent.before(Duration::from_millis(1))));
    let mut late = (0..100).map(Duration::from_millis);
    late.find(|late| freeze.is_on(&nodes, &policy.freshness, silent + *late)).expect("it is known")
}

#[test]
fn a_small_fleet_is_looked_at_each_time_a_large_one_now_and_then() {
    assert_eq!(known_after(SMALL), Duration::ZERO);
    assert_eq!(known_after(SMALL + 1) + Duration::from_millis(1), HOLDS);
}
