//! A fleet under load in virtual time: what a death costs, and whose death it is.

use std::{collections::VecDeque, time::Duration};

use pointsman::domain::{
    id::NodeId,
    load::NodeLoad,
    outcome::OutcomeResult,
    policy::{Balance, Policy},
    request::RouteRequest,
    time::Instant,
};

use crate::world::{World, idle_load, node_of, route_of, text};

const STEP: Duration = Duration::from_millis(5);
const SERVICE_TIME: Duration = Duration::from_millis(100);
const NODES: usize = 4;

/// What happens to `n0` after two seconds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// Its agent dies; its requests go on well.
    AgentDies,
    /// It dies with its agent: connections break.
    Dies,
    /// It and its agent freeze: no report, no answer, no end of the stream.
    Freezes,
}

/// A request on its way.
struct Flying {
    request: RouteRequest,
    node: NodeId,
    ends: Instant,
}

/// What was seen of `n0` after its fate.
struct Seen {
    picks: usize,
    picks_of_all: usize,
    last_pick: Duration,
    /// Requests that found no node that answers.
    lost: usize,
}

/// A request every five milliseconds, each of which takes a tenth of a second, for ten seconds after the fate.
fn run(policy: Policy, fate: Fate) -> Seen {
    let mut world = World::of_equal_nodes(policy, NODES);
    let fated = world.now + Duration::from_secs(2);
    let mut flying: VecDeque<Flying> = VecDeque::new();
    let mut seen = Seen { picks: 0, picks_of_all: 0, last_pick: Duration::ZERO, lost: 0 };
    for step in 0..2400_u64 {
        let is_over = world.now >= fated;
        if step == 400 && fate != Fate::Freezes {
            world.close("n0");
        }
        if step % 100 == 0 {
            report(&mut world, &flying, is_over);
        }
        land(&mut world, &mut flying, fate, is_over, &mut seen);
        let request = text(&format!("r{step}"));
        fly(&mut world, &mut flying, request, fated, &mut seen);
        world.pass(STEP);
    }
    seen
}

fn report(world: &mut World, flying: &VecDeque<Flying>, is_over: bool) {
    for i in usize::from(is_over)..NODES {
        let id = format!("n{i}");
        let running = flying.iter().filter(|flight| flight.node.as_str() == id).count();
        world.report(&id, NodeLoad { running: u32::try_from(running).ok(), ..idle_load() });
    }
}

/// Ends the requests whose time has come, and sends those that failed elsewhere.
fn land(world: &mut World, flying: &mut VecDeque<Flying>, fate: Fate, is_over: bool, seen: &mut Seen) {
    let mut again = Vec::new();
    flying.retain(|flight| {
        let is_dead = is_over && flight.node.as_str() == "n0" && fate != Fate::AgentDies;
        if is_dead && fate == Fate::Freezes {
            return true;
        }
        if !is_dead && world.now < flight.ends {
            return true;
        }
        let result = if is_dead { OutcomeResult::Failed } else { OutcomeResult::Ok };
        world.settle(&flight.request.key, result);
        if is_dead {
            let mut request = flight.request.clone();
            request.excluded.push(flight.node.clone());
            again.push(request);
        }
        false
    });
    let now = world.now;
    for request in again {
        fly(world, flying, request, now, seen);
    }
}

fn fly(
    world: &mut World,
    flying: &mut VecDeque<Flying>,
    request: RouteRequest,
    fated: Instant,
    seen: &mut Seen,
) {
    let Some(route) = route_of(world.decide(&request)) else {
        seen.lost += 1;
        return;
    };
    let node = node_of(&route);
    if world.now > fated {
        seen.picks_of_all += 1;
        if node.as_str() == "n0" {
            seen.picks += 1;
            seen.last_pick = world.now.since(fated);
        }
    }
    flying.push_back(Flying { request, node, ends: world.now + SERVICE_TIME });
}

fn fair_share(seen: &Seen) -> f64 {
    seen.picks as f64 / seen.picks_of_all as f64 * NODES as f64
}

#[test]
fn a_node_whose_agent_dies_keeps_half_its_share() {
    for (balance, name) in Balance::NAMES {
        let seen = run(Policy { balance, ..Policy::default() }, Fate::AgentDies);
        let share = fair_share(&seen);
        assert!((0.5..2.0).contains(&share), "{name}: {share:.2} of its fair share");
        assert_eq!(seen.lost, 0, "{name}");
    }
}

#[test]
fn a_dead_node_is_left_within_250_ms_and_no_request_is_lost() {
    for (balance, name) in Balance::NAMES {
        let seen = run(Policy { balance, ..Policy::default() }, Fate::Dies);
        assert!(seen.last_pick <= Duration::from_millis(250), "{name}: last pick after {:?}", seen.last_pick);
        assert_eq!(seen.lost, 0, "{name}");
    }
}

#[test]
fn a_frozen_node_is_left_within_two_seconds() {
    for (balance, name) in Balance::NAMES {
        let seen = run(Policy { balance, ..Policy::default() }, Fate::Freezes);
        assert!(seen.last_pick <= Duration::from_secs(2), "{name}: last pick after {:?}", seen.last_pick);
    }
}

/// The same without the protections: the tests above can fail.
#[test]
fn without_its_protections_a_dead_node_is_picked_on() {
    let mut policy = Policy { balance: Balance::RoundRobin, ..Policy::default() };
    policy.freshness.close_grace = Duration::from_hours(1);
    policy.freshness.stale_after = Duration::from_hours(1);
    assert!(run(policy.clone(), Fate::Freezes).last_pick > Duration::from_secs(9));
    policy.freshness = pointsman::domain::policy::FreshnessPolicy::default();
    policy.freshness.outcome_trust = Duration::ZERO;
    assert!(fair_share(&run(policy, Fate::AgentDies)) < 0.5);
}
