//! Which nodes may take this request, and why not the others?
//!
//! First by what the nodes are and the caller wants: that makes the pool. Then by their health, unless so much of the
//! fleet or the pool would be lost that holding it against the nodes does more harm than good ([`Rung`]).

use std::sync::Arc;

use super::score::load;
use crate::{
    domain::{
        decision::Rung,
        filter::Filter,
        load::Ratio,
        node::{BreakerState, NodeClass, RequestType, ServedModel},
        policy::{Policy, Spill},
        request::RouteRequest,
        time::Instant,
    },
    state::nodes::{Topology, flight::Trial, node::Node, trust::Presence},
};

/// What passed, and what became of every node.
#[derive(Debug)]
pub struct Filtered<'a> {
    /// Nodes that may take the request, in order of their ids.
    pub candidates: Vec<Candidate<'a>>,
    /// Class that was asked for in the end.
    pub class: NodeClass,
    /// Whether that is not the request's own.
    pub spilled: bool,
    /// How far from normal the health was judged.
    pub rung: Rung,
    /// For each node of the topology the filter that dropped it, if one did.
    pub dropped: Vec<Option<Filter>>,
}

/// A node that may take the request.
#[derive(Debug, Clone, Copy)]
pub struct Candidate<'a> {
    /// The node.
    pub node: &'a Arc<Node>,
    /// Its place in the topology.
    pub index: usize,
    /// Whether picking it would try a half-open breaker.
    pub trial: Trial,
}

/// A filter of declarations: whether the node passes.
type Passes = fn(&RouteRequest, NodeClass, &Node) -> bool;

/// Filters that make the pool, in the order in which they run.
const DECLARED: [(Filter, Passes); 6] = [
    (Filter::RequestType, |request, _, node| serves_type(request, node)),
    (Filter::Model, |request, _, node| serves_model(request, node)),
    (Filter::ModelVersion, |request, _, node| serves_version(request, node)),
    (Filter::Class, |_, class, node| node.spec.class == class),
    (Filter::Excluded, |request, _, node| !request.excluded.contains(&node.spec.id)),
    (Filter::Drain, |_, _, node| !node.live.vitals().draining),
];

/// Filters for the request's own class, and for the other one where the policy lets it spill.
pub fn filter<'a>(
    request: &RouteRequest,
    topology: &'a Topology,
    policy: &Policy,
    now: Instant,
) -> Filtered<'a> {
    let own = filter_class(request, request.class(), topology, policy, now);
    let spills = match policy.spill.when {
        Spill::Never => false,
        Spill::WhenEmpty => own.candidates.is_empty(),
        Spill::WhenOverloaded => own.candidates.iter().all(|c| is_overloaded(request, c, policy, now)),
    };
    if !spills {
        return own;
    }
    let other = filter_class(request, request.class().other(), topology, policy, now);
    if other.candidates.is_empty() { own } else { Filtered { spilled: true, ..other } }
}

fn filter_class<'a>(
    request: &RouteRequest,
    class: NodeClass,
    topology: &'a Topology,
    policy: &Policy,
    now: Instant,
) -> Filtered<'a> {
    let declared =
        |node: &Node| DECLARED.iter().find(|(_, passes)| !passes(request, class, node)).map(|f| f.0);
    let mut dropped: Vec<Option<Filter>> = topology.nodes.iter().map(|node| declared(node)).collect();
    let leniency = judge(topology, &dropped, policy, now);
    let mut candidates = Vec::new();
    for (index, node) in topology.nodes.iter().enumerate() {
        if dropped[index].is_some() {
            continue;
        }
        match health(node, leniency, now) {
            Ok(trial) => candidates.push(Candidate { node, index, trial }),
            Err(filter) => dropped[index] = Some(filter),
        }
    }
    Filtered { candidates, class, spilled: false, rung: leniency.rung(), dropped }
}

/// Which signs of ill health are not held against the nodes of a pool.
#[derive(Debug, Clone, Copy)]
struct Leniency {
    /// Not their breakers: too much of the pool is ejected.
    panic: bool,
    /// Not their silence: most of the fleet went silent at once.
    frozen: bool,
}

impl Leniency {
    fn rung(self) -> Rung {
        match self {
            Self { panic: true, .. } => Rung::Panic,
            Self { frozen: true, .. } => Rung::Frozen,
            _ => Rung::Normal,
        }
    }
}

/// Says how far from normal the health of this pool must be judged. The pool is all nodes that could take such a
/// request, also those that this caller excludes: a retry does not make it smaller.
///
/// A half-open node counts as ejected: it takes one request at a time. Otherwise the panic would end the moment that
/// the breakers of a small pool turn half-open together, and all but one request a node would be refused.
fn judge(topology: &Topology, dropped: &[Option<Filter>], policy: &Policy, now: Instant) -> Leniency {
    let mut pool = 0_usize;
    let mut ejected = 0_usize;
    let mut silent = 0_usize;
    let in_pool = |dropped: &Option<Filter>| dropped.is_none_or(|filter| filter >= Filter::Excluded);
    for (node, _) in topology.nodes.iter().zip(dropped).filter(|(_, dropped)| in_pool(dropped)) {
        let vitals = node.live.vitals();
        pool += 1;
        ejected += usize::from(vitals.breaker.at(now) != BreakerState::Closed);
        silent += usize::from(vitals.trust.at(now) == Presence::Silent);
    }
    Leniency {
        panic: exceeds(ejected, pool, policy.breaker.ejected_share_max),
        // The fleet is counted only when somebody in the pool is silent.
        frozen: silent > 0 && topology.is_frozen(&policy.freshness, now),
    }
}

fn exceeds(part: usize, whole: usize, share: Ratio) -> bool {
    part as f64 > whole as f64 * share.get()
}

/// A node that is known to be gone gets nothing, whatever else is forgiven.
fn health(node: &Node, leniency: Leniency, now: Instant) -> Result<Trial, Filter> {
    let vitals = node.live.vitals();
    let trial = match vitals.breaker.at(now) {
        _ if leniency.panic => Trial::No,
        BreakerState::Closed => Trial::No,
        BreakerState::HalfOpen if !node.live.flight.is_tried(now) => Trial::Yes,
        BreakerState::HalfOpen | BreakerState::Open => return Err(Filter::Breaker),
    };
    match vitals.trust.at(now) {
        Presence::Present | Presence::Unreported => Ok(trial),
        Presence::Silent if leniency.frozen => Ok(trial),
        Presence::Silent | Presence::Gone => Err(Filter::Freshness),
    }
}

/// Whether the node belongs to the request's pool: it serves the type and the model.
pub fn serves(request: &RouteRequest, node: &Node) -> bool {
    serves_type(request, node) && serves_model(request, node)
}

fn serves_type(request: &RouteRequest, node: &Node) -> bool {
    node.spec.endpoints.contains_key(&request.request_type)
}

fn serves_model(request: &RouteRequest, node: &Node) -> bool {
    node.spec.models.is_empty() || wanted(request, node).next().is_some()
}

/// Declarations of the model that hold for the request's type.
fn wanted<'a>(request: &'a RouteRequest, node: &'a Node) -> impl Iterator<Item = &'a ServedModel> {
    let serves_type = |types: &[RequestType]| types.is_empty() || types.contains(&request.request_type);
    let models = node.spec.models.iter();
    models.filter(move |model| model.name == request.model && serves_type(&model.request_types))
}

fn serves_version(request: &RouteRequest, node: &Node) -> bool {
    let Some(version) = &request.version else { return true };
    let serves = |model: &ServedModel| model.versions.is_empty() || model.versions.contains(version);
    node.spec.models.is_empty() || wanted(request, node).any(serves)
}

fn is_overloaded(request: &RouteRequest, candidate: &Candidate<'_>, policy: &Policy, now: Instant) -> bool {
    let expected = candidate.node.live.vitals().expected_first_token(request.request_type, now);
    let target = policy.tiers.first_token_target(request.tier);
    load::of(candidate.node, policy, now).total() >= policy.spill.overload
        || expected.is_some_and(|expected| expected > target)
}
