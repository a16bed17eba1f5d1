//! What does each stage of a decision cost?
//!
//! Stages that can be called are timed alone, each with a glance at the boards, which a decision takes but once. What `decide`
//! costs beyond `survey` and `place` is the rest: limits, answers, and the writing of the lease and the prefix.

use pointsman::{
    domain::request::RouteRequest,
    route::{
        Scene, Turn, degrade::survey, filter::filter, place::place, score::cost::Market,
        shortlist::shortlist, view::Boards,
    },
};
use serde_json::{Value, json};

use super::{said::Failure, samples::median, world::World};

/// Medians, in nanoseconds a decision.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stages {
    survey: u64,
    /// The short list, or all candidates where the policy must look at all.
    list: u64,
    /// List, score, pick, and the route that comes of it.
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
        survey: timed(&mut world, |request, scene, turn| {
            let boards = Boards::of(request, scene, turn.now);
            survey(request, &boards, scene, turn.now).map_or(0, |pool| pool.nodes)
        }),
        list: timed(&mut world, |request, scene, turn| {
            let boards = Boards::of(request, scene, turn.now);
            let market = Market::of(request, boards.of_class(request.class()).1.speeds, scene, turn.now);
            shortlist(request, &boards, &market, scene, turn).map_or_else(
                || filter(request, &boards, scene, turn.now).candidates.len(),
                |list| list.filtered.candidates.len(),
            )
        }),
        place: timed(&mut world, |request, scene, turn| {
            let boards = Boards::of(request, scene, turn.now);
            usize::from(place(request, &boards, scene, turn).0.is_ok())
        }),
        decide: deciding(&mut world),
    };
    // Freed, its memory would be the next world's, in an order that makes every node a cache miss.
    std::mem::forget(world);
    Ok(stages)
}

/// A stage that changes nothing.
fn timed(world: &mut World, stage: fn(&RouteRequest, Scene<'_>, &mut Turn) -> usize) -> u64 {
    let requests = world.requests();
    let topology = world.state.nodes.topology();
    let scene = Scene { state: &world.state, topology: &topology, policy: &world.policy };
    median(|| requests.clone(), |request| stage(request, scene, &mut world.turn()), |_| ())
}

fn deciding(world: &mut World) -> u64 {
    let world = std::cell::RefCell::new(world);
    let prepare = || world.borrow_mut().requests();
    median(prepare, |request| world.borrow().decide(request), |requests| world.borrow().settle(requests))
}

impl Stages {
    /// Names of the columns.
    pub(crate) fn head(first: &str) -> String {
        let [survey, list, place, rest, decide] = ["survey", "list", "place", "rest", "decide"];
        format!("{first:<18} {survey:>9} {list:>9} {place:>9} {rest:>9} {decide:>9}")
    }

    /// Figures of a row.
    pub(crate) fn line(&self, first: &str) -> String {
        let Self { survey, list, place, decide } = self;
        let rest = self.rest();
        format!("{first:<18} {survey:>9} {list:>9} {place:>9} {rest:>9} {decide:>9}")
    }

    /// All of them, and the one that counts as `ns`.
    pub(crate) fn json(&self, counts: u64) -> Value {
        let Self { survey, list, place, decide } = self;
        let rest = self.rest();
        json!({
            "ns": counts, "survey_ns": survey, "list_ns": list, "place_ns": place, "rest_ns": rest, "decide_ns": decide,
        })
    }

    fn rest(&self) -> u64 {
        self.decide.saturating_sub(self.survey + self.place)
    }
}
