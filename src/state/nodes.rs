//! The fleet: which nodes there are, and what is known of each.
//!
//! Writes go through a map; decisions read one immutable [`Topology`], rebuilt when membership changes.

pub mod board;
pub mod breaker;
mod cache;
pub mod flight;
mod freeze;
pub mod ledger;
mod marks;
mod members;
pub mod node;
pub mod prefixes;
pub mod reading;
pub mod standing;
pub mod trust;
pub mod vitals;

use std::{
    collections::HashSet,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU32, AtomicU64, Ordering::Relaxed},
    },
};

use arc_swap::{ArcSwap, Guard};
use dashmap::DashMap;
use parking_lot::Mutex;
use thiserror::Error;

use crate::domain::{
    id::{ModelName, NodeId, NodeNumber},
    load::NodeLoad,
    node::{NodeClass, NodeOrigin, NodeSpec, RequestType},
    policy::{FreshnessPolicy, Policy},
    time::Instant,
};
use board::Board;
use freeze::Freeze;
use members::Pools;
use node::{Applied, Live, Node};
use prefixes::Prefixes;
use trust::Trust;
use vitals::Reports;

/// The fleet.
#[derive(Debug, Default)]
pub struct NodeTable {
    /// By id, for writers.
    nodes: DashMap<NodeId, Arc<Node>>,
    /// All of them, for readers.
    topology: ArcSwap<Topology>,
    /// Which of them holds which prefixes.
    pub prefixes: Prefixes,
    /// Held while membership changes, so that snapshots are published in order.
    membership: Mutex<()>,
    /// Numbers drawn so far; under the membership lock, so that of two streams the later one has the greater.
    sessions: AtomicU64,
    /// Numbers given to nodes so far.
    numbers: AtomicU32,
}

/// Which nodes there are, at one moment.
#[derive(Debug, Default)]
pub struct Topology {
    /// Grows by one with each change of membership or declaration.
    pub revision: u64,
    /// Every node, in order of its id.
    pub nodes: Vec<Arc<Node>>,
    /// Found out when the first request asks.
    pools: OnceLock<Pools>,
    /// Places of the nodes by their numbers, ascending. Found out when the first lease asks.
    places: OnceLock<Vec<(NodeNumber, usize)>>,
    freeze: Freeze,
}

/// An agent's stream, once it has registered its node.
#[derive(Debug, Clone)]
pub struct Session {
    /// The node that it speaks for.
    pub id: NodeId,
    live: Arc<Live>,
    number: u64,
}

/// The table holds as many nodes as the policy allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the node table is full ({0} nodes)")]
pub struct TableFull(pub usize);

/// What a sweep let go.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Nodes that were forgotten.
    pub forgotten: Vec<NodeId>,
}

impl NodeTable {
    /// What decisions read.
    pub fn topology(&self) -> Guard<Arc<Topology>> {
        self.topology.load()
    }

    /// One node.
    pub fn get(&self, id: &NodeId) -> Option<Arc<Node>> {
        self.nodes.get(id).map(|node| Arc::clone(&node))
    }

    /// Registers a node by its agent's stream, or takes over a new declaration of a known one.
    pub fn attend(&self, spec: NodeSpec, policy: &Policy, now: Instant) -> Result<Session, TableFull> {
        let trust = Trust::registered(&policy.freshness, now);
        self.begin(spec, (NodeOrigin::Agent, trust, Reports::WhileFresh), policy)
    }

    /// Registers a node that will not be reported for, with a stream to say its load by hand.
    pub fn admit(&self, spec: NodeSpec, policy: &Policy) -> Result<Session, TableFull> {
        self.begin(spec, (NodeOrigin::Registered, Trust::UNATTENDED, Reports::UntilReplaced), policy)
    }

    /// Makes the nodes of the configuration file those that are listed: adds, changes, removes. Where they do not
    /// fit beside the nodes of agents nothing changes.
    pub fn configure(&self, specs: Vec<NodeSpec>, policy: &Policy) -> Result<(), TableFull> {
        let _membership = self.membership.lock();
        let listed: HashSet<NodeId> = specs.iter().map(|spec| spec.id.clone()).collect();
        let unlisted =
            |node: &Node| node.origin == NodeOrigin::Configuration && !listed.contains(&node.spec.id);
        let stays = |node: &Node| !unlisted(node) && !listed.contains(&node.spec.id);
        let staying = self.nodes.iter().filter(|entry| stays(entry.value())).count();
        if staying + listed.len() > policy.nodes_max.0 {
            return Err(TableFull(policy.nodes_max.0));
        }
        let removed = self.take_out(unlisted);
        let mut changed = !removed.is_empty();
        for spec in specs {
            changed |= self.put(spec, NodeOrigin::Configuration, Trust::UNATTENDED, policy).1;
        }
        if changed {
            self.publish();
        }
        Ok(())
    }

    /// Drains a node; `None` if there is none of this id.
    pub fn drain(&self, id: &NodeId) -> Option<Arc<Node>> {
        self.get(id).inspect(|node| node.live.set_draining(true))
    }

    /// Ends a drain; `None` if there is no node of this id.
    pub fn resume(&self, id: &NodeId) -> Option<Arc<Node>> {
        self.get(id).inspect(|node| node.live.set_draining(false))
    }

    /// Forgets a node; its stream, if it has one, must register it again.
    pub fn remove(&self, id: &NodeId) -> Option<Arc<Node>> {
        let _membership = self.membership.lock();
        let (_, node) = self.nodes.remove(id)?;
        self.let_go(&node);
        self.publish();
        Some(node)
    }

    /// Ends a stream whose agent has said farewell, and forgets its node; says whether it still spoke for it. What the
    /// configuration file lists stays, and so does for a while what an operator drains: the agent may only be
    /// starting anew, and the drain must not end by that.
    pub fn part(&self, session: &Session, policy: &FreshnessPolicy, now: Instant) -> bool {
        let spoke = session.close(now, policy);
        if spoke {
            let goes = |node: &Node| node.origin != NodeOrigin::Configuration && !node.live.vitals().draining;
            let _membership = self.membership.lock();
            let left = self
                .nodes
                .remove_if(&session.id, |_, node| node.live.is_spoken_for_by(session.number) && goes(node));
            if let Some((_, node)) = left {
                self.let_go(&node);
                self.publish();
            }
        }
        spoke
    }

    /// Forgets nodes whose agents left them long ago. While most of the fleet is lost nothing is forgotten: then the
    /// fault is more likely ours.
    pub fn sweep(&self, policy: &FreshnessPolicy, now: Instant) -> Swept {
        let topology = self.topology.load_full();
        if topology.is_frozen(policy, now) {
            return Swept::default();
        }
        let expired = |node: &Node| {
            let trust = node.live.vitals().trust;
            trust.is_closed() && trust.lost_for(now) > policy.forget_after
        };
        // Most sweeps find nothing, and need no lock.
        if !topology.nodes.iter().any(|node| expired(node)) {
            return Swept::default();
        }
        let _membership = self.membership.lock();
        let forgotten = self.take_out(expired);
        if !forgotten.is_empty() {
            self.publish();
        }
        Swept { forgotten }
    }

    /// Registers and begins the stream in one step: between the two, nobody may remove the node, and no other
    /// stream begin.
    fn begin(
        &self,
        spec: NodeSpec,
        (origin, trust, reports): (NodeOrigin, Trust, Reports),
        policy: &Policy,
    ) -> Result<Session, TableFull> {
        let _membership = self.membership.lock();
        if !self.nodes.contains_key(&spec.id) && self.nodes.len() >= policy.nodes_max.0 {
            return Err(TableFull(policy.nodes_max.0));
        }
        let (node, changed) = self.put(spec, origin, trust, policy);
        let number = self.sessions.fetch_add(1, Relaxed) + 1;
        let trust = if node.origin == NodeOrigin::Configuration { Trust::UNATTENDED } else { trust };
        node.live.begin(number, trust, reports);
        if changed {
            self.publish();
        }
        Ok(Session { id: node.spec.id.clone(), live: Arc::clone(&node.live), number })
    }

    /// Adds a node, or changes the declaration of a known one; says whether that changed anything. What the
    /// configuration file declares of a node outranks what its agent does. Only under the membership lock.
    fn put(&self, spec: NodeSpec, origin: NodeOrigin, trust: Trust, policy: &Policy) -> (Arc<Node>, bool) {
        let known = self.get(&spec.id);
        if let Some(node) = &known {
            let outranked = node.origin == NodeOrigin::Configuration && origin != NodeOrigin::Configuration;
            if outranked || (node.spec == spec && node.origin == origin) {
                return (Arc::clone(node), false);
            }
        }
        let live = known.map_or_else(
            || {
                let number = NodeNumber(self.numbers.fetch_add(1, Relaxed));
                let blocks = spec.cache_blocks(&policy.prefixes).unwrap_or(policy.prefixes.node_blocks.get());
                Arc::new(Live::new(number, policy, trust, self.prefixes.join(blocks)))
            },
            |node| Arc::clone(&node.live),
        );
        if origin != NodeOrigin::Agent {
            live.entrust(Trust::UNATTENDED);
        }
        let node = Arc::new(Node::new(spec, origin, live));
        self.nodes.insert(node.spec.id.clone(), Arc::clone(&node));
        (node, true)
    }

    /// Only under the membership lock.
    fn take_out(&self, doomed: impl Fn(&Node) -> bool) -> Vec<NodeId> {
        let mut removed = Vec::new();
        self.nodes.retain(|id, node| {
            let goes = doomed(node);
            if goes {
                self.let_go(node);
                removed.push(id.clone());
            }
            !goes
        });
        removed
    }

    /// Nothing speaks for the node any more, and nothing is known of its cache.
    fn let_go(&self, node: &Node) {
        node.live.silence();
        if let Some(occupancy) = &node.live.occupancy {
            self.prefixes.leave(occupancy);
        }
    }

    /// Only under the membership lock.
    fn publish(&self) {
        let mut nodes: Vec<_> = self.nodes.iter().map(|entry| Arc::clone(entry.value())).collect();
        nodes.sort_unstable_by(|a, b| a.spec.id.cmp(&b.spec.id));
        let revision = self.topology.load().revision + 1;
        self.topology.store(Arc::new(Topology { revision, nodes, ..Topology::default() }));
    }
}

impl Topology {
    /// The nodes that serve the type and the model, by class.
    pub fn boards(&self, request_type: RequestType, model: &ModelName) -> [&Board; NodeClass::ALL.len()] {
        let pool = self.pools.get_or_init(|| Pools::of(&self.nodes)).get(request_type, model);
        NodeClass::ALL.map(|class| pool.board(class, request_type, &self.nodes))
    }

    /// The node with this number; `None` where it is gone.
    pub fn node(&self, number: NodeNumber) -> Option<&Arc<Node>> {
        let places = self.places.get_or_init(|| {
            let mut places: Vec<_> = self.nodes.iter().map(|node| node.live.number).zip(0..).collect();
            places.sort_unstable();
            places
        });
        let at = places.binary_search_by_key(&number, |(number, _)| *number).ok()?;
        Some(&self.nodes[places[at].1])
    }

    /// Whether so many nodes have gone silent that the fault is more likely ours than theirs.
    pub fn is_frozen(&self, policy: &FreshnessPolicy, now: Instant) -> bool {
        self.freeze.is_on(&self.nodes, policy, now)
    }
}

impl Session {
    /// Takes in a report.
    pub fn apply(&self, sequence: u64, load: NodeLoad, now: Instant, policy: &FreshnessPolicy) -> Applied {
        self.live.apply(self.number, sequence, load, now, policy)
    }

    /// The stream ended; says whether it still spoke for the node.
    pub fn close(&self, now: Instant, policy: &FreshnessPolicy) -> bool {
        self.live.close(self.number, now, policy)
    }
}
