use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::{
    domain::{
        decision::Rung,
        id::{ModelName, NodeId},
        load::NodeLoad,
        node::{NodeClass, NodeSpec, RequestType},
        prefix::BlockKey,
    },
    state::nodes::{
        NodeTable, Session, breaker::Signal, flight::Charge, reading::Reading, vitals::Observation,
    },
};

const NODES: usize = 5;

/// Something that happens to a node, or to all.
#[derive(Debug, Clone)]
enum Event {
    Report(u32),
    Pick,
    Release,
    Outcome(Signal),
    Drain(bool),
    Place(u64),
    Removed(u64),
    Correct,
    Close,
    Pass(u64),
}

fn event() -> impl Strategy<Value = Event> {
    let signal = prop_oneof![Just(Signal::Good), Just(Signal::Bad), Just(Signal::Overloaded)];
    prop_oneof![
        3 => (0_u32..20).prop_map(Event::Report),
        3 => Just(Event::Pick),
        2 => Just(Event::Release),
        4 => signal.prop_map(Event::Outcome),
        1 => any::<bool>().prop_map(Event::Drain),
        2 => (0_u64..4).prop_map(Event::Place),
        1 => (0_u64..4).prop_map(Event::Removed),
        1 => Just(Event::Correct),
        1 => Just(Event::Close),
        3 => (10_u64..3000).prop_map(Event::Pass),
    ]
}

/// A fleet by hand.
struct Fleet {
    table: NodeTable,
    policy: Policy,
    sessions: Vec<Session>,
    charges: Vec<(usize, u64, Charge)>,
    sequence: u64,
    now: Instant,
}

impl Fleet {
    fn new() -> Self {
        let (table, policy) = (NodeTable::default(), Policy::default());
        let now = Instant::after_start(Duration::from_secs(10));
        let attend = |number| {
            let endpoints = [(RequestType::Text, "http://a".into())].into();
            let id = NodeId::parse(&format!("n{number}")).expect("a good id");
            table.attend(NodeSpec { endpoints, ..NodeSpec::of(id) }, &policy, now).expect("there is room")
        };
        let sessions = (0..NODES).map(attend).collect();
        Self { table, policy, sessions, charges: Vec::new(), sequence: 0, now }
    }

    fn happens(&mut self, node: usize, event: &Event) {
        let Self { table, policy, now, .. } = self;
        let now = *now;
        let known = table.get(&self.sessions[node].id).expect("it is not forgotten");
        self.sequence += 1;
        match *event {
            Event::Report(waiting) => {
                let load = NodeLoad { waiting: Some(waiting), speed: Some(20.0), ..NodeLoad::default() };
                self.sessions[node].apply(self.sequence, load, now, &policy.freshness);
            }
            Event::Pick => {
                let charge = known.live.charge(self.sequence, None, (500.0, 700.0), now);
                self.charges.push((node, self.sequence, charge));
            }
            Event::Release => {
                if let Some((node, pick, charge)) = self.charges.pop() {
                    let known = table.get(&self.sessions[node].id).expect("it is not forgotten");
                    known.live.release(pick, &charge, now);
                }
            }
            Event::Outcome(signal) => {
                let latency = Some(Duration::from_millis(200));
                let request_type = RequestType::Text;
                let sample = known.live.begun(self.charges.last().map_or(0, |(_, pick, _)| *pick), now);
                let (signal, picked) = (Some(signal), now);
                let seen = Observation {
                    signal,
                    request_type,
                    picked,
                    first_token_latency: latency,
                    latency,
                    sample,
                };
                known.live.observe(seen, now, policy);
            }
            Event::Drain(draining) => known.live.set_draining(draining),
            Event::Place(block) => {
                let occupancy = known.live.occupancy.as_ref().expect("the index has room");
                table.prefixes.place(occupancy, &[BlockKey::new(block)], u64::MAX, now);
            }
            Event::Removed(block) => {
                let occupancy = known.live.occupancy.as_ref().expect("the index has room");
                table.prefixes.removed(occupancy, &[BlockKey::new(block)]);
            }
            Event::Correct => {
                known.live.occupancy.as_ref().expect("the index has room").correct(4, 1);
            }
            Event::Close => drop(self.sessions[node].close(now, &policy.freshness)),
            Event::Pass(millis) => self.now = now + Duration::from_millis(millis),
        }
    }
}

/// But for when it will be taken anew.
fn comparable(reading: &Reading) -> Reading {
    let mut reading = *reading;
    reading.until = Instant::ZERO;
    reading
}

proptest! {
    /// Nothing happens to a node that its board does not hear of.
    #[test]
    fn a_board_says_what_a_look_at_each_node_would(
        events in prop::collection::vec((0..NODES, event()), 0..60),
        load_cpu in 0.0..1.0,
    ) {
        let mut fleet = Fleet::new();
        let model = ModelName::parse("m").expect("a good name");
        for (node, event) in &events {
            fleet.happens(*node, event);
            let (topology, now) = (fleet.table.topology(), fleet.now);
            let board = topology.boards(RequestType::Text, &model)[NodeClass::Normal as usize];
            let rows = board.read(&fleet.policy, now);
            let fresh = |node: &Arc<Node>| comparable(&Reading::of(node, &fleet.policy, Rung::Normal, now));
            let fresh: Vec<_> = board.nodes().iter().map(fresh).collect();
            prop_assert_eq!(rows.readings().iter().map(comparable).collect::<Vec<_>>(), fresh.clone());
            prop_assert_eq!(rows.glance().census, Census::of(fresh.iter(), &fleet.policy.load));
        }
        // And with another policy all is read anew.
        fleet.policy.load.cpu = load_cpu;
        fleet.policy.load.queue_capacity = 7.try_into().expect("not 0");
        let topology = fleet.table.topology();
        let board = topology.boards(RequestType::Text, &model)[NodeClass::Normal as usize];
        let rows = board.read(&fleet.policy, fleet.now);
        prop_assert!(rows.readings().iter().all(|reading| reading.queue_capacity <= 7.0));
    }
}

/// What a cache holds is no part of a reading, but the pyramid knows of it.
#[test]
fn a_board_hears_of_what_a_cache_holds() {
    let mut fleet = Fleet::new();
    let model = ModelName::parse("m").expect("a good name");
    for event in [Event::Place(1), Event::Removed(1)] {
        let topology = fleet.table.topology();
        let board = topology.boards(RequestType::Text, &model)[NodeClass::Normal as usize];
        drop(board.read(&fleet.policy, fleet.now));
        fleet.happens(3, &event);
        let mut heard = Vec::new();
        board.marks.take(|place, _| heard.push(place));
        assert_eq!(heard, [3], "{event:?}");
    }
}
