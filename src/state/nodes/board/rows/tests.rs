use super::*;
use crate::{
    domain::{
        id::NodeId,
        node::{NodeOrigin, NodeSpec},
    },
    state::nodes::{node::Live, trust::Trust},
};

/// Policies that do not look for the cheapest never put anybody on the pyramid: what has moved must not pile up.
#[test]
fn what_has_moved_is_bounded_though_nobody_searches() {
    let policy = Policy::default();
    let spec = NodeSpec::of(NodeId::parse("n1").expect("a good id"));
    let live = Arc::new(Live::new(&policy, Trust::UNATTENDED, None));
    let nodes = [Arc::new(Node::new(spec, NodeOrigin::Agent, live))];
    let marks = Arc::new(Marks::new(1));
    nodes[0].live.watch().join(&marks, 0);
    let mut rows = Rows::of(&nodes);
    rows.catch_up(&nodes, &marks, &policy, Instant::ZERO);
    // As after a search.
    rows.built = Some((Instant::ZERO, Wanted::within(Duration::from_secs(1), Instant::ZERO)));
    for pick in 1..1_000 {
        let _charge = nodes[0].live.charge(pick, None, (1.0, 1.0), Instant::ZERO);
        rows.catch_up(&nodes, &marks, &policy, Instant::ZERO);
        assert!(rows.moved.len() <= nodes.len());
    }
    assert_eq!(rows.readings[0].counts.in_flight, 999, "each pick is counted all the same");
}
