use super::{
    super::pyramid::{Group, WIDTH},
    *,
};
use crate::{
    domain::{
        id::{NodeId, NodeNumber},
        node::{NodeOrigin, NodeSpec},
    },
    state::nodes::{node::Live, trust::Trust},
};

fn node(id: &str, policy: &Policy) -> Arc<Node> {
    let spec = NodeSpec::of(NodeId::parse(id).expect("a good id"));
    let live = Arc::new(Live::new(NodeNumber::default(), policy, Trust::UNATTENDED, None));
    Arc::new(Node::new(spec, NodeOrigin::Agent, live))
}

fn wanted() -> Wanted {
    Wanted::within(Duration::from_secs(1), Instant::ZERO)
}

/// Whatever is asked costs nothing.
struct Free;

impl Asked for Free {
    type Ask = ();

    fn ask(&self, _: u32) {}

    fn cost(&self, _: &Standing, (): &()) -> f64 {
        0.0
    }

    fn costs(&self, _: &Group, (): &()) -> [f64; WIDTH] {
        [0.0; WIDTH]
    }

    fn at_least(&self, _: &Group, (): &(), _: &Typical, _: f64) -> [f64; WIDTH] {
        [0.0; WIDTH]
    }

    fn typical(&self, (): &(), before: Typical) -> Typical {
        before
    }

    fn typical_cost(&self, _: &Standing, _: &Typical) -> f64 {
        0.0
    }

    fn likeness(&self, (): &(), _: &Typical) -> f64 {
        1.0
    }
}

/// None is put on the pyramid later than it may be, however often somebody searches, and none twice before all were.
#[test]
fn each_node_has_its_turn_in_time() {
    let policy = Policy::default();
    let nodes: Vec<_> = (0..20).map(|number| node(&format!("n{number:02}"), &policy)).collect();
    let marks = Marks::new(nodes.len());
    for step in [1, 3, 7, 200] {
        let mut rows = Rows::of(&nodes);
        rows.catch_up(&nodes, &marks, &policy, Instant::ZERO);
        for millis in (0..=50 + step).step_by(step) {
            rows.take_turns(
                &nodes,
                &Free,
                &wanted(),
                Instant::after_start(Duration::from_millis(millis as u64)),
            );
            let put = (0..nodes.len()).filter(|place| rows.standing(*place) != Standing::OUT).count();
            assert_eq!(
                put,
                (millis * nodes.len() / 50).min(nodes.len()),
                "after {millis} ms, {step} at a time"
            );
        }
    }
}

/// Policies that do not look for the cheapest never put anybody on the pyramid: what has moved must not pile up.
#[test]
fn what_has_moved_is_bounded_though_nobody_searches() {
    let policy = Policy::default();
    let nodes = [node("n1", &policy)];
    let marks = Arc::new(Marks::new(1));
    nodes[0].live.watch().join(&marks, 0);
    let mut rows = Rows::of(&nodes);
    rows.catch_up(&nodes, &marks, &policy, Instant::ZERO);
    // As after a search.
    rows.built = Some(wanted());
    for pick in 1..1_000 {
        let _charge = nodes[0].live.charge(pick, None, (1.0, 1.0), Instant::ZERO);
        rows.catch_up(&nodes, &marks, &policy, Instant::ZERO);
        assert!(rows.moved.len() <= nodes.len());
    }
    assert_eq!(rows.readings[0].counts.in_flight, 999, "each pick is counted all the same");
}
