//! Who belongs to the fleet: the configuration file, agents and operators may all speak for a node.

use std::{thread, time::Duration};

use pointsman::{
    domain::{
        load::{NodeLoad, Ratio},
        node::NodeOrigin,
        outcome::OutcomeResult,
        policy::{NodesMax, Policy},
    },
    state::nodes::NodeTable,
};

use crate::world::{World, idle_load, text, text_node};

fn ids(table: &NodeTable) -> Vec<String> {
    table.topology().nodes.iter().map(|node| node.spec.id.to_string()).collect()
}

#[test]
fn a_configured_node_outlives_its_agents_farewell() {
    let world = World::new(Policy::default());
    let nodes = &world.state.nodes;
    nodes.configure(vec![text_node("a")], &world.policy).expect("it fits");
    let agent = nodes.attend(text_node("a"), &world.policy, world.now).expect("it fits");
    assert!(nodes.part(&agent, &world.policy.freshness, world.now));
    assert_eq!(ids(nodes), ["a"]);
}

#[test]
fn a_drain_outlives_the_restart_of_an_agent() {
    let mut world = World::new(Policy::default());
    let freshness = world.policy.freshness;
    let agent = world.state.nodes.attend(text_node("a"), &world.policy, world.now).expect("it fits");
    world.state.nodes.drain(&agent.id).expect("it is known");
    assert!(world.state.nodes.part(&agent, &freshness, world.now));
    world.pass(Duration::from_secs(5));
    world.register(text_node("a"));
    world.report("a", idle_load());
    assert!(world.decide(&text("r1")).outcome.is_err(), "it is still drained");
    world.close("a");
    world.pass(Duration::from_mins(2));
    world.state.sweep(&world.policy, world.now);
    assert_eq!(
        ids(&world.state.nodes),
        Vec::<String>::new(),
        "one that stays away is forgotten, drained or not"
    );
}

#[test]
fn a_file_that_does_not_fit_changes_nothing() {
    let mut world = World::new(Policy { nodes_max: NodesMax(3), ..Policy::default() });
    world.state.nodes.configure(vec![text_node("a"), text_node("b")], &world.policy).expect("it fits");
    world.register(text_node("z"));
    let too_many = ["b", "c", "d"].map(text_node).to_vec();
    assert!(world.state.nodes.configure(too_many, &world.policy).is_err());
    assert_eq!(ids(&world.state.nodes), ["a", "b", "z"]);
    let revision = world.state.nodes.topology().revision;
    let as_many = ["b", "z"].map(text_node).to_vec();
    world
        .state
        .nodes
        .configure(as_many, &world.policy)
        .expect("what an agent registered is not counted twice");
    let topology = world.state.nodes.topology();
    assert_eq!((ids(&world.state.nodes), topology.revision), (vec!["b".into(), "z".into()], revision + 1));
    assert_eq!(topology.nodes[1].origin, NodeOrigin::Configuration);
}

/// A stream that was told `registered` speaks for a node that decisions see, or is told that it does not.
#[test]
fn a_registration_that_races_a_removal_leaves_no_orphan() {
    let world = World::new(Policy::default());
    let (nodes, policy, now) = (&world.state.nodes, &world.policy, world.now);
    for _ in 0..2_000 {
        let agent = thread::scope(|scope| {
            let agent = scope.spawn(|| nodes.attend(text_node("a"), policy, now).expect("it fits"));
            scope.spawn(|| nodes.remove(&text_node("a").id));
            agent.join().expect("no panic")
        });
        let speaks = agent.close(now, &policy.freshness);
        assert_eq!(speaks, !ids(nodes).is_empty());
        nodes.remove(&agent.id);
    }
}

#[test]
fn what_a_dead_agent_said_of_a_configured_node_is_not_believed_for_ever() {
    let mut world = World::new(Policy::default());
    world.state.nodes.configure(vec![text_node("a")], &world.policy).expect("it fits");
    world.register(text_node("a"));
    world.report("a", NodeLoad { cpu: Ratio::try_new(0.9).ok(), ..idle_load() });
    let known = |world: &World| {
        let node = world.state.nodes.get(&text_node("a").id).expect("it is configured");
        node.live.vitals().load_at(world.now, &world.policy.freshness).is_some()
    };
    assert!(known(&world));
    world.pass(Duration::from_secs(2));
    assert!(!known(&world), "its agent hangs");
    world.report("a", idle_load());
    assert!(known(&world));
    world.close("a");
    assert!(!known(&world), "its agent is dead");
}

/// Loads that move up and down by more than a few requests weigh: whoever is lowest gets all. A node that nobody
/// reports for must not wait for ever for the others to be above their mean.
#[test]
fn a_node_without_an_agent_keeps_its_share_beside_restless_ones() {
    let mut world = World::of_equal_nodes(Policy::default(), 3);
    world.state.nodes.admit(text_node("x"), &world.policy).expect("it fits");
    let mut picks = 0;
    for round in 0..200 {
        for i in 0..3 {
            let cpu = Ratio::try_new(world.chance.f64()).ok();
            world.report(&format!("n{i}"), NodeLoad { cpu, ..idle_load() });
        }
        for i in 0..10 {
            let request = text(&format!("r{round}-{i}"));
            picks += usize::from(world.pick(&request).targets.best().node() == "x");
            world.settle(&request.key, OutcomeResult::Ok);
        }
        world.pass(Duration::from_millis(500));
    }
    assert!((250..=1000).contains(&picks), "{picks} of 2000, where 500 are fair");
}
