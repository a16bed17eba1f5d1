//! Which nodes may take this request, and why not the others?
//!
//! First by what the nodes are and the caller wants: that makes the pool. Then by their health, unless so much of the
//! fleet or the pool would be lost that holding it against the nodes does more harm than good ([`Rung`]).

use std::sync::Arc;

use super::{
    Scene,
    view::{Boards, View, view},
};
use crate::{
    domain::{
        decision::{Rung, Target},
        filter::Filter,
        load::Ratio,
        node::{BreakerState, NodeClass, ServedModel},
        policy::{Policy, Spill},
        request::RouteRequest,
        time::Instant,
    },
    state::nodes::{flight::Trial, node::Node, reading::Reading, standing::Speeds, trust::Presence},
};

/// What passed, and what became of every node.
#[derive(Debug)]
pub struct Filtered<'a> {
    /// Nodes that may take the request, in order of their ids.
    pub candidates: Vec<Candidate<'a>>,
    /// How fast the live nodes of the class are.
    pub speeds: Speeds,
    /// Class that was asked for in the end.
    pub class: NodeClass,
    /// Whether that is not the request's own.
    pub spilled: bool,
    /// How far from normal the health was judged.
    pub rung: Rung,
    /// For each node of the topology the filter that dropped it, if one did. Found out where somebody asks: for
    /// explanations, and where no candidate is left.
    pub dropped: Vec<Option<Filter>>,
}

/// A node that may take the request.
#[derive(Debug, Clone, Copy)]
pub struct Candidate<'a> {
    /// The node.
    pub node: &'a Arc<Node>,
    /// Where it takes the request.
    pub target: &'a Target,
    /// Its place in the topology.
    pub index: usize,
    /// Whether picking it would try a half-open breaker.
    pub trial: Trial,
    /// What the scores read of it.
    pub reading: Reading,
}

impl<'a> Candidate<'a> {
    /// One that needs no trial.
    pub(super) fn plain(View { node, target, index, reading }: View<'a>) -> Self {
        Self { node, target, index, trial: Trial::No, reading }
    }
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
    boards: &Boards<'a>,
    scene: Scene<'_>,
    now: Instant,
) -> Filtered<'a> {
    let policy = scene.policy;
    let of_class = |class| filter_class(request, class, boards, scene, now);
    let own = of_class(request.class());
    let spills = match policy.spill.when {
        Spill::Never => false,
        Spill::WhenEmpty => own.candidates.is_empty(),
        Spill::WhenOverloaded => {
            own.candidates.iter().all(|candidate| is_overloaded(request, candidate, policy, now))
        }
    };
    if !spills {
        return own;
    }
    let other = of_class(request.class().other());
    if other.candidates.is_empty() { own } else { Filtered { spilled: true, ..other } }
}

fn filter_class<'a>(
    request: &RouteRequest,
    class: NodeClass,
    boards: &Boards<'a>,
    scene: Scene<'_>,
    now: Instant,
) -> Filtered<'a> {
    let views = view(class, boards, scene, now);
    let leniency = judge(request, &views, scene, now);
    let candidate = |view: &View<'a>| {
        let View { node, target, index, reading } = *view;
        let trial = is_wanted(request, node, &reading).then(|| health(view, leniency, now).ok())??;
        Some(Candidate { node, target, index, trial, reading })
    };
    let candidates: Vec<_> = views.iter().filter_map(candidate).collect();
    let is_asked = request.explain || candidates.is_empty();
    let dropped = if is_asked { dropped(request, class, &views, leniency, scene, now) } else { Vec::new() };
    let speeds = boards.of_class(class).1.speeds;
    Filtered { candidates, speeds, class, spilled: false, rung: leniency.rung(), dropped }
}

/// Whether a node of the pool passes the filters of declarations.
pub(super) fn is_wanted(request: &RouteRequest, node: &Node, reading: &Reading) -> bool {
    !reading.draining && serves_version(request, node) && !request.excluded.contains(&node.spec.id)
}

/// What became of every node of the topology.
fn dropped(
    request: &RouteRequest,
    class: NodeClass,
    views: &[View<'_>],
    leniency: Leniency,
    scene: Scene<'_>,
    now: Instant,
) -> Vec<Option<Filter>> {
    let mut dropped: Vec<_> =
        scene.topology.nodes.iter().map(|node| declared(request, class, node)).collect();
    for view in views {
        let filter = &mut dropped[view.index];
        *filter = filter.or_else(|| health(view, leniency, now).err());
    }
    dropped
}

/// The filter of declarations that drops the node, if one does.
fn declared(request: &RouteRequest, class: NodeClass, node: &Node) -> Option<Filter> {
    DECLARED.iter().find(|(_, passes)| !passes(request, class, node)).map(|(filter, _)| *filter)
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
fn judge(request: &RouteRequest, views: &[View<'_>], scene: Scene<'_>, now: Instant) -> Leniency {
    let Scene { topology, policy, .. } = scene;
    let (mut pool, mut ejected, mut silent) = (0_usize, 0_usize, 0_usize);
    for view in views.iter().filter(|view| serves_version(request, view.node)) {
        pool += 1;
        ejected += usize::from(view.reading.breaker != BreakerState::Closed);
        silent += usize::from(view.reading.presence == Presence::Silent);
    }
    Leniency {
        panic: exceeds(ejected, pool, policy.breaker.ejected_share_max),
        // The fleet is counted only when somebody in the pool is silent.
        frozen: silent > 0 && topology.is_frozen(&policy.freshness, now),
    }
}

pub(super) fn exceeds(part: usize, whole: usize, share: Ratio) -> bool {
    part as f64 > whole as f64 * share.get()
}

/// A node that is known to be gone gets nothing, whatever else is forgiven.
fn health(view: &View<'_>, leniency: Leniency, now: Instant) -> Result<Trial, Filter> {
    let trial = match view.reading.breaker {
        _ if leniency.panic => Trial::No,
        BreakerState::Closed => Trial::No,
        BreakerState::HalfOpen if !view.node.live.flight.is_tried(now) => Trial::Yes,
        BreakerState::HalfOpen | BreakerState::Open => return Err(Filter::Breaker),
    };
    match view.reading.presence {
        Presence::Present | Presence::Unreported => Ok(trial),
        Presence::Silent if leniency.frozen => Ok(trial),
        Presence::Silent | Presence::Gone => Err(Filter::Freshness),
    }
}

fn serves_type(request: &RouteRequest, node: &Node) -> bool {
    node.spec.endpoints.contains_key(&request.request_type)
}

fn serves_model(request: &RouteRequest, node: &Node) -> bool {
    node.spec.models.is_empty() || wanted(request, node).next().is_some()
}

/// Declarations of the model that hold for the request's type.
fn wanted<'a>(request: &'a RouteRequest, node: &'a Node) -> impl Iterator<Item = &'a ServedModel> {
    let models = node.spec.models.iter();
    models.filter(move |model| model.name == request.model && model.serves(request.request_type))
}

fn serves_version(request: &RouteRequest, node: &Node) -> bool {
    let Some(version) = &request.version else { return true };
    let serves = |model: &ServedModel| model.versions.is_empty() || model.versions.contains(version);
    node.spec.models.is_empty() || wanted(request, node).any(serves)
}

fn is_overloaded(request: &RouteRequest, candidate: &Candidate<'_>, policy: &Policy, now: Instant) -> bool {
    let expected = candidate.node.live.vitals().expected_first_token(request.request_type, now);
    let target = policy.tiers.first_token_target(request.tier);
    candidate.reading.load(&policy.load).total() >= policy.spill.overload
        || expected.is_some_and(|expected| expected > target)
}
