use std::{sync::Arc, time::Duration};

use super::*;
use crate::{
    domain::{
        decision::{Rung, Target},
        id::{LeaseId, ModelName, NodeId, NodeNumber, RequestId, TenantId},
        load::{NodeLoad, Ratio},
        node::{NodeSpec, RequestType},
        policy::Policy,
        prefix::BlockKey,
        request::RequestKey,
        time::Instant,
    },
    route::Scene,
    state::{
        State,
        nodes::{flight::Trial, node::Node, standing::Speeds},
    },
};

const NOW: Instant = Instant::from_nanos(1_000_000_000);
const BLOCK: u32 = 256;

/// A fleet by hand.
struct Fleet {
    state: State,
    policy: Policy,
    nodes: Vec<Arc<Node>>,
}

impl Fleet {
    fn new(loads: &[NodeLoad]) -> Self {
        let mut fleet = Self { state: State::default(), policy: Policy::default(), nodes: Vec::new() };
        for (number, load) in loads.iter().enumerate() {
            let spec = NodeSpec::of(NodeId::parse(&format!("n{number}")).expect("a good id"));
            let session = fleet.state.nodes.admit(spec.clone(), &fleet.policy).expect("there is room");
            session.apply(1, load.clone(), NOW, &fleet.policy.freshness);
            fleet.nodes.push(fleet.state.nodes.get(&spec.id).expect("it has registered"));
        }
        fleet
    }

    fn send(&self, node: usize, count: u64) {
        for pick in 0..count {
            let _charge = self.nodes[node].live.charge(pick + 1, None, (0.0, 0.0), NOW);
        }
    }

    fn hold(&self, node: usize, blocks: &[u64]) {
        let occupancy = self.nodes[node].live.occupancy.as_ref().expect("it has a place");
        self.state.nodes.prefixes.place(occupancy, &keys(blocks), u64::MAX, NOW);
    }

    fn costs(&self, balance: Balance, request: &RouteRequest) -> Vec<f64> {
        let target = Target::new(&self.nodes[0].spec.id, NodeNumber::default(), "http://anywhere");
        let nodes = self.nodes.iter().enumerate();
        let candidates: Vec<_> = nodes
            .map(|(index, node)| {
                let reading = Reading::of(node, &self.policy, Rung::Normal, NOW);
                Candidate { node, target: &target, index, trial: Trial::No, reading }
            })
            .collect();
        let topology = self.state.nodes.topology();
        let scene = Scene { state: &self.state, topology: &topology, policy: &self.policy };
        let market = Market::of(request, Speeds::default(), scene, NOW);
        let field = Field::of(request, &candidates, &market, balance);
        let cost = |candidate: &Candidate<'_>| {
            let reading = &candidate.reading;
            let cached = market.cached(reading);
            match balance {
                Balance::PrefixThenLoad => field.prefix_then_load(reading, cached),
                Balance::WeightedScorers => field.weighted_scorers(reading, cached),
                Balance::OverlapCost => field.overlap_cost(reading, cached),
                _ => field.hash(candidate),
            }
        };
        candidates.iter().map(cost).collect()
    }

    fn best(&self, balance: Balance, request: &RouteRequest) -> usize {
        let costs = self.costs(balance, request);
        (0..costs.len()).min_by(|a, b| costs[*a].total_cmp(&costs[*b])).expect("there are nodes")
    }
}

fn keys(blocks: &[u64]) -> Vec<BlockKey> {
    blocks.iter().map(|number| BlockKey::new(*number)).collect()
}

fn request(blocks: &[u64]) -> RouteRequest {
    named("r", blocks)
}

fn named(name: &str, blocks: &[u64]) -> RouteRequest {
    let key = RequestKey {
        tenant: TenantId::parse("acme").expect("a good name"),
        request: RequestId::parse(name).expect("a good name"),
    };
    let tokens = u32::try_from(blocks.len()).expect("a few") * BLOCK;
    RouteRequest {
        prefix: keys(blocks),
        prompt_tokens: Some(tokens.max(1)),
        ..RouteRequest::of(key, RequestType::Text, ModelName::parse("m").expect("a good name"))
    }
}

fn waiting(waiting: u32) -> NodeLoad {
    NodeLoad { waiting: Some(waiting), ..NodeLoad::default() }
}

fn kv(capacity: u64, active: u64) -> NodeLoad {
    NodeLoad { kv_capacity: Some(capacity), kv_active: Some(active), ..NodeLoad::default() }
}

#[test]
fn prefix_then_load_goes_where_a_long_prefix_is() {
    let fleet = Fleet::new(&[waiting(0), waiting(0)]);
    fleet.hold(1, &[1, 2, 3]);
    fleet.send(1, 60);
    assert_eq!(fleet.best(Balance::PrefixThenLoad, &request(&[1, 2, 3, 4])), 1);
}

#[test]
fn prefix_then_load_takes_no_heed_of_a_short_prefix() {
    let fleet = Fleet::new(&[waiting(0), waiting(0)]);
    fleet.hold(1, &[1]);
    fleet.send(1, 1);
    assert_eq!(fleet.best(Balance::PrefixThenLoad, &request(&[1, 2, 3, 4])), 0);
}

#[test]
fn prefix_then_load_evens_out_a_fleet_that_is_uneven() {
    let fleet = Fleet::new(&[waiting(0), waiting(0)]);
    fleet.hold(1, &[1, 2, 3]);
    fleet.send(1, 64);
    assert_eq!(fleet.best(Balance::PrefixThenLoad, &request(&[1, 2, 3])), 1);
    fleet.send(1, 1);
    assert_eq!(fleet.best(Balance::PrefixThenLoad, &request(&[1, 2, 3])), 0);
}

#[test]
fn prefix_then_load_goes_by_requests_where_the_prefix_is_on_no_candidate() {
    let mut fleet = Fleet::new(&[waiting(0), waiting(0), waiting(0)]);
    fleet.hold(2, &[1, 2, 3]);
    fleet.send(0, 3);
    fleet.nodes.truncate(2);
    assert_eq!(fleet.best(Balance::PrefixThenLoad, &request(&[1, 2, 3])), 1);
}

#[test]
fn weighted_scorers_add_up_prefix_queue_and_memory() {
    let half = NodeLoad { kv_cache: Some(Ratio::try_new(0.5).expect("a ratio")), ..waiting(0) };
    let fleet = Fleet::new(&[half, waiting(10), waiting(5)]);
    fleet.hold(1, &[1, 2]);
    let costs = fleet.costs(Balance::WeightedScorers, &request(&[1, 2, 3, 4]));
    assert_eq!(costs, [-(2.0 + 1.0), -(1.5 + 2.0), -(1.0 + 2.0)]);
}

#[test]
fn weighted_scorers_take_equal_queues_for_none() {
    let fleet = Fleet::new(&[waiting(7), waiting(7)]);
    assert_eq!(fleet.costs(Balance::WeightedScorers, &request(&[1])), [-4.0, -4.0]);
}

#[test]
fn overlap_cost_weighs_what_is_to_compute_against_what_is_in_use() {
    let fleet = Fleet::new(&[kv(100_000, 0), kv(100_000, 1500)]);
    fleet.hold(1, &[1, 2]);
    let costs = fleet.costs(Balance::OverlapCost, &request(&[1, 2, 3, 4]));
    assert_eq!(costs, [2048.0, 1024.0 + 1500.0]);
    // What is under way counts too.
    fleet.nodes[0].live.charge(LeaseId(1).0, None, (500.0, 500.0), NOW + Duration::from_secs(1));
    let costs = fleet.costs(Balance::OverlapCost, &request(&[1, 2, 3, 4]));
    assert_eq!(costs, [2048.0 + 1000.0, 2524.0]);
}

#[test]
fn hash_sends_the_same_beginning_the_same_way() {
    let fleet = Fleet::new(&vec![waiting(0); 8]);
    for block in 0..50 {
        let here = fleet.best(Balance::Hash, &named("a", &[block, 1]));
        assert_eq!(here, fleet.best(Balance::Hash, &named("b", &[block, 2, 3])));
    }
    assert_eq!(fleet.best(Balance::Hash, &named("a", &[])), fleet.best(Balance::Hash, &named("a", &[])));
}

#[test]
fn hash_spreads_prefixes_and_requests_without_one() {
    let fleet = Fleet::new(&vec![waiting(0); 8]);
    let (mut by_prefix, mut by_name) = ([0; 8], [0; 8]);
    for number in 0..800 {
        by_prefix[fleet.best(Balance::Hash, &request(&[number]))] += 1;
        by_name[fleet.best(Balance::Hash, &named(&format!("r{number}"), &[]))] += 1;
    }
    assert!(by_prefix.iter().chain(&by_name).all(|count| (60..=140).contains(count)), "{by_prefix:?}");
}

#[test]
fn hash_moves_only_the_prefixes_of_a_node_that_is_lost() {
    let mut fleet = Fleet::new(&vec![waiting(0); 8]);
    let homes = |fleet: &Fleet| -> Vec<NodeId> {
        let home = |number| fleet.best(Balance::Hash, &request(&[number]));
        (0..400).map(|number| fleet.nodes[home(number)].spec.id.clone()).collect()
    };
    let before = homes(&fleet);
    let lost = fleet.nodes.remove(3).spec.id.clone();
    let moved = homes(&fleet).into_iter().zip(before).filter(|(after, before)| after != before);
    assert!(moved.map(|(_, before)| before).all(|before| before == lost));
}

/// All prompts begin alike: the first nodes by their hash take a quarter more than their share, and no more.
#[test]
fn hash_does_not_crowd_the_home_of_what_all_have_in_common() {
    let fleet = Fleet::new(&vec![waiting(0); 8]);
    for number in 0..800 {
        let home = fleet.best(Balance::Hash, &named(&format!("r{number}"), &[1]));
        fleet.nodes[home].live.charge(number, None, (0.0, 0.0), NOW);
    }
    let counts: Vec<_> = fleet.nodes.iter().map(|node| node.live.counts().in_flight).collect();
    assert_eq!(counts.iter().max(), Some(&125), "{counts:?}");
}
