//! What does each stage of a decision cost?
//!
//! Stages that can be called are timed alone. What `decide` costs beyond `place` is the rest: limits, answers, the
//! survey of the pool, and the writing of the lease and the prefix.

use pointsman::{
    domain::request::RouteRequest,
    route::{
        Scene,
        filter::filter,
        pick::{Keep, pick},
        place::place,
        score::{Bid, score},
        view::{View, view},
    },
};
use serde_json::{Value, json};

use super::{said::Failure, samples::median, world::World};

/// Medians, in nanoseconds a decision.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stages {
    view: u64,
    filter: u64,
    score: u64,
    pick: u64,
    /// View, filter, score, pick, and the route that comes of it.
    pub(crate) place: u64,
    /// All of it.
    pub(crate) decide: u64,
}

/// Times the stages, one after the other.
pub(crate) fn stages(mut world: World) -> Result<Stages, Failure> {
    if let Some(refused) = world.requests().iter().find(|request| !world.decide(request)) {
        return Err(format!("no route for {refused:?}").into());
    }
    let stages = Stages {
        view: viewing(&mut world),
        filter: filtering(&mut world),
        score: scoring(&mut world),
        pick: picking(&mut world),
        place: placing(&mut world),
        decide: deciding(&mut world),
    };
    // Freed, its memory would be the next world's, in an order that makes every node a cache miss.
    std::mem::forget(world);
    Ok(stages)
}

fn viewing(world: &mut World) -> u64 {
    let requests = world.requests();
    let topology = world.state.nodes.topology();
    let scene = Scene { state: &world.state, topology: &topology, policy: &world.policy };
    let now = world.turn().now;
    median(|| requests.clone(), |request| view(request, scene, now).len(), |_| ())
}

fn filtering(world: &mut World) -> u64 {
    let requests = world.requests();
    let topology = world.state.nodes.topology();
    let scene = Scene { state: &world.state, topology: &topology, policy: &world.policy };
    let now = world.turn().now;
    let prepare = || requests.iter().map(|request| (request, view(request, scene, now))).collect();
    let act = |(request, views): &(&RouteRequest, Vec<View<'_>>)| {
        filter(request, views, &topology, &world.policy, now).candidates.len()
    };
    median(prepare, act, |_| ())
}

fn scoring(world: &mut World) -> u64 {
    let requests = world.requests();
    let topology = world.state.nodes.topology();
    let scene = Scene { state: &world.state, topology: &topology, policy: &world.policy };
    let now = world.turn().now;
    let prepare = || {
        let filtered = |request: &RouteRequest| {
            filter(request, &view(request, scene, now), &topology, &world.policy, now)
        };
        requests.iter().map(|request| (request, filtered(request))).collect()
    };
    median(
        prepare,
        |(request, filtered)| {
            score(request, filtered, filtered.readings.clone(), scene, &mut world.turn()).bids().len()
        },
        |_| (),
    )
}

fn picking(world: &mut World) -> u64 {
    let requests = world.requests();
    let topology = world.state.nodes.topology();
    let scene = Scene { state: &world.state, topology: &topology, policy: &world.policy };
    let mut turn = world.turn();
    let keep = Keep::Best(1 + world.policy.fallbacks.0);
    let bids = |request: &RouteRequest| {
        let filtered = filter(request, &view(request, scene, turn.now), &topology, &world.policy, turn.now);
        let mut scores = score(request, &filtered, filtered.readings.clone(), scene, &mut world.turn());
        (scores.bids(), scores.balance)
    };
    let bids: Vec<_> = requests.iter().map(bids).collect();
    // It takes the bids; a cell lets them be taken from what is only lent.
    let prepare = || bids.iter().map(|(bids, _)| std::cell::Cell::new(bids.clone())).collect();
    let balance = bids[0].1;
    let act = |bids: &std::cell::Cell<Vec<Bid>>| pick(bids.take(), balance, keep, &mut turn.chance).len();
    median(prepare, act, |_| ())
}

fn placing(world: &mut World) -> u64 {
    let requests = world.requests();
    let topology = world.state.nodes.topology();
    let scene = Scene { state: &world.state, topology: &topology, policy: &world.policy };
    let act = |request: &RouteRequest| {
        let mut turn = world.turn();
        place(request, &view(request, scene, turn.now), scene, &mut turn).0.is_ok()
    };
    median(|| requests.clone(), act, |_| ())
}

fn deciding(world: &mut World) -> u64 {
    let world = std::cell::RefCell::new(world);
    let prepare = || world.borrow_mut().requests();
    median(prepare, |request| world.borrow().decide(request), |requests| world.borrow().settle(requests))
}

impl Stages {
    /// Names of the columns.
    pub(crate) fn head(first: &str) -> String {
        let [view, filter, score, pick, place, rest, decide] =
            ["view", "filter", "score", "pick", "place", "rest", "decide"];
        format!("{first:<18} {view:>9} {filter:>9} {score:>9} {pick:>9} {place:>9} {rest:>9} {decide:>9}")
    }

    /// Figures of a row.
    pub(crate) fn line(&self, first: &str) -> String {
        let Self { view, filter, score, pick, place, decide } = self;
        let rest = self.rest();
        format!("{first:<18} {view:>9} {filter:>9} {score:>9} {pick:>9} {place:>9} {rest:>9} {decide:>9}")
    }

    /// All of them, and the one that counts as `ns`.
    pub(crate) fn json(&self, counts: u64) -> Value {
        let Self { view, filter, score, pick, place, decide } = self;
        let rest = self.rest();
        json!({
            "ns": counts, "view_ns": view, "filter_ns": filter, "score_ns": score, "pick_ns": pick,
            "place_ns": place, "rest_ns": rest, "decide_ns": decide,
        })
    }

    fn rest(&self) -> u64 {
        self.decide.saturating_sub(self.place)
    }
}
