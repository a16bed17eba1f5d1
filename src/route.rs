//! Decides where one request goes. Start reading here.

pub mod degrade;
pub mod filter;
pub mod late;
pub mod pick;
pub mod place;
pub mod record;
pub mod reject;
pub mod reuse;
pub mod score;
pub mod shortlist;
pub mod throttle;
pub mod view;
pub mod why;

use std::sync::Arc;

use crate::{
    domain::{
        decision::{CachedAnswer, Decision, Granted, Rejection, Route, Rung},
        degradation::{Fate, Pool},
        explanation::Explanation,
        policy::Policy,
        request::RouteRequest,
        time::{Chance, Instant},
    },
    state::{
        State,
        answers::Question,
        demand::Seen,
        leases::Work,
        nodes::{Topology, flight::Trial, node::Node},
    },
};
use degrade::{Course, degrade, survey};
use place::place;
use record::record;
use reuse::{Known, reuse};
use throttle::throttle;
use view::Boards;

/// What the core may not find out for itself: the time and a throw of the dice.
#[derive(Debug)]
pub struct Turn {
    /// The moment of the decision.
    pub now: Instant,
    /// The seeded source of chance.
    pub chance: Chance,
}

/// What a decision reads: it stays the same from the first stage to the last.
#[derive(Debug, Clone, Copy)]
pub struct Scene<'a> {
    /// Everything remembered.
    pub state: &'a State,
    /// The fleet.
    pub topology: &'a Topology,
    /// What the operator wants.
    pub policy: &'a Policy,
}

/// Decides where one request goes, and reserves its load there.
///
/// The stages run in the order in which they are written. Nothing here waits, reads a clock or touches the network;
/// only [`throttle`](mod@throttle) and [`record`](mod@record) write. The same request, state, policy and turn make the
/// same decision.
pub fn decide(request: &RouteRequest, state: &State, policy: &Policy, turn: &mut Turn) -> Decision {
    let topology = state.nodes.topology();
    let earlier = state.leases.earlier(request, &topology, turn.now);
    if let Some(decided) = earlier.decision {
        return decided;
    }
    let admitted = match throttle(request, earlier.tried, state, policy, turn) {
        Ok(admitted) => admitted,
        Err(rejection) => return reject::at_the_gate(rejection, request, state, policy, turn),
    };
    let scene = Scene { state, topology: &topology, policy };
    loop {
        let choice = choose(request, scene, turn);
        // Each further round means that another request has taken the trial of the node chosen here.
        let Some(decision) = record(choice, request, earlier.tried, scene, turn) else { continue };
        throttle::keep_or_give_back(admitted, &decision, state, turn);
        return decision;
    }
}

/// What [`decide`] would decide, and why. Changes nothing.
pub fn explain(request: &RouteRequest, state: &State, policy: &Policy, turn: &mut Turn) -> Decision {
    let request = RouteRequest { explain: true, ..request.clone() };
    let topology = state.nodes.topology();
    let choice = choose(&request, Scene { state, topology: &topology, policy }, turn);
    let takes_tokens = matches!(choice.outcome, Ok(Chosen::Route(_)));
    let limits = throttle::verdicts(&request, state, policy, turn);
    let outcome = match throttle::refusal(&limits, &request, takes_tokens, state) {
        Some(rejection) => Err(rejection),
        None => choice.outcome.map(Chosen::granted),
    };
    Decision { outcome, rung: choice.rung, explanation: choice.explanation, turned: None }
}

/// What was chosen, before it is in force.
#[derive(Debug)]
pub struct Choice<'a> {
    outcome: Result<Chosen<'a>, Rejection>,
    rung: Rung,
    /// What the request asks, and what is known of that.
    question: Option<Question>,
    known: Known,
    /// The request's pool as it was found, and whether the request goes there.
    pool: Option<Pool>,
    fate: Fate,
    explanation: Option<Box<Explanation>>,
    /// What was learned of the pool where nodes were looked at.
    demand: Option<Seen>,
}

/// A choice that is not a refusal.
#[derive(Debug)]
enum Chosen<'a> {
    Route(Picked<'a>),
    Answer(CachedAnswer),
}

/// A node for a request.
#[derive(Debug)]
pub struct Picked<'a> {
    node: &'a Arc<Node>,
    trial: Trial,
    work: Work,
    /// Blocks that its cache holds.
    cache_blocks: u32,
    route: Route,
}

fn choose<'a>(request: &RouteRequest, scene: Scene<'a>, turn: &mut Turn) -> Choice<'a> {
    let boards = Boards::of(request, scene, turn.now);
    let pool = survey(request, &boards, scene, turn.now);
    let question = request.answer_key().map(|key| scene.state.answers.question(&key));
    let known = reuse(request, question.as_ref(), scene.state, turn);
    let mut seen = None;
    let mut place = |request: &RouteRequest, boards: &Boards<'a>, turn: &mut Turn| {
        let (outcome, nodes) = place(request, boards, scene, turn);
        seen = Some(nodes);
        outcome.map(Chosen::Route)
    };
    let course = degrade(request, &known, pool.as_ref(), scene, turn);
    let fate = course.fate(&known);
    let outcome = match course {
        Course::Known(answer) => Ok(Chosen::Answer(reuse::given(&answer, turn))),
        Course::Full => place(request, &boards, turn),
        Course::Smaller(model, otherwise) => {
            let smaller = request.with_model(model);
            place(&smaller, &Boards::of(&smaller, scene, turn.now), turn).map_err(|_| otherwise)
        }
        Course::Refused(rejection) => Err(rejection),
    };
    let rung = seen.as_ref().map(|seen| seen.filtered.rung).max(pool.as_ref().map(|pool| pool.rung));
    let explanation = request.explain.then(|| {
        let limits = throttle::verdicts(request, scene.state, scene.policy, turn);
        why::explanation(seen.as_ref(), limits, known.verdict(), pool.clone(), scene)
    });
    let demand = seen.as_ref().map(|seen| seen.demand);
    Choice { outcome, rung: rung.unwrap_or_default(), question, known, pool, fate, explanation, demand }
}

impl Chosen<'_> {
    fn granted(self) -> Granted {
        match self {
            Self::Route(picked) => Granted::Route(picked.route.into()),
            Self::Answer(answer) => Granted::Answer(answer),
        }
    }
}
