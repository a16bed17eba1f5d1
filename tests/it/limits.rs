//! Limits under callers that come at the same time: nobody passes a limit that is charged only afterwards.

use std::{
    num::NonZeroU32,
    sync::{
        Barrier,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    thread,
    time::Duration,
};

use pointsman::{
    domain::{
        answer::fingerprint::Fingerprint,
        decision::{Granted, RejectionReason},
        id::{LimitName, ModelName, UserId},
        limit::{LimitPolicy, LimitRule, Mode, Per, Quota},
        outcome::{Outcome, OutcomeResult, OutcomeTokens},
        policy::Policy,
        request::{Patience, RouteRequest},
        time::Chance,
    },
    route::{self, Turn},
};

use crate::world::{World, idle_load, node_of, outcome, route_of, text};

/// Tokens that each request is expected to use.
const EACH: u32 = 100;

/// A limit of a hundred requests' worth of tokens, refilled within the hour.
fn policy(mode: Mode) -> Policy {
    let tokens = NonZeroU32::new(100 * EACH).expect("not 0");
    let rule = LimitRule {
        name: LimitName::parse("tokens").expect("a good name"),
        per: Per::User,
        tier: None,
        model: None,
        tenant: None,
        quota: Quota::tokens(NonZeroU32::new(200).expect("not 0"), tokens).expect("a sound quota"),
        mode,
    };
    Policy { limits: LimitPolicy { rules: [rule].into(), ..LimitPolicy::default() }, ..Policy::default() }
}

fn asking(request: &str) -> RouteRequest {
    let user = UserId::parse("ann").ok();
    RouteRequest { user, prompt_tokens: Some(EACH / 2), max_output_tokens: Some(EACH / 2), ..text(request) }
}

/// 500 callers on four threads.
fn admitted(mode: Mode) -> u32 {
    let world = World::of_equal_nodes(policy(mode), 4);
    let admitted = AtomicU32::new(0);
    thread::scope(|scope| {
        for caller in 0..4 {
            let (world, admitted) = (&world, &admitted);
            scope.spawn(move || {
                for i in 0..125 {
                    let mut turn = Turn { now: world.now, chance: Chance::with_seed(i) };
                    let request = asking(&format!("{caller}-{i}"));
                    let decision = route::decide(&request, &world.state, &world.policy, &mut turn);
                    admitted.fetch_add(u32::from(matches!(decision.outcome, Ok(Granted::Route(_)))), Relaxed);
                }
            });
        }
    });
    admitted.into_inner()
}

#[test]
fn of_five_hundred_callers_at_once_a_hundred_requests_worth_is_admitted() {
    assert_eq!(admitted(Mode::Enforced), 100);
    assert_eq!(admitted(Mode::Shadow), 500, "a shadow counts and lets pass");
}

#[test]
fn an_outcome_settles_what_was_reserved() {
    let mut world = World::of_equal_nodes(policy(Mode::Enforced), 1);
    let free = |world: &World| {
        let explained = world.explain(&asking("next"));
        explained.explanation.expect("it was asked for").limits[0].remaining
    };
    for i in 0..3 {
        world.pick(&asking(&format!("r{i}")));
    }
    assert_eq!(free(&world), 9_700);
    let used = |request: &str, result, input, output| {
        let tokens = OutcomeTokens { input, output, cached: None };
        let told = Outcome { tokens, ..outcome(&asking(request).key, result) };
        world.state.settle(&told, &world.policy, world.now);
        free(&world)
    };
    assert_eq!(used("r0", OutcomeResult::Ok, Some(10), Some(20)), 9_770, "what was not used comes back");
    assert_eq!(used("r1", OutcomeResult::Ok, Some(100), Some(200)), 9_570, "what was used beyond is debited");
    assert_eq!(used("r2", OutcomeResult::Failed, None, None), 9_670, "a failure has used nothing");
    assert_eq!(used("r2", OutcomeResult::Failed, None, None), 9_670, "and is settled once");
}

#[test]
fn a_retry_reserves_nothing_more_and_a_dead_gateway_spends_its_estimate() {
    let mut world = World::of_equal_nodes(policy(Mode::Enforced), 2);
    let free = |world: &World| {
        let explained = world.explain(&asking("next"));
        explained.explanation.expect("it was asked for").limits[0].remaining
    };
    let first = node_of(&world.pick(&asking("r0")));
    let again = RouteRequest { excluded: vec![first], ..asking("r0") };
    assert!(route_of(world.decide(&again)).is_some());
    assert_eq!(free(&world), 9_900);
    for i in 1..20 {
        world.pick(&asking(&format!("r{i}")));
    }
    assert_eq!(free(&world), 8_000);
    world.pass(Duration::from_mins(3));
    world.state.sweep(&world.policy, world.now);
    assert_eq!(world.state.leases.live(), 0);
    assert_eq!(free(&world), 8_600, "three minutes refill 600, and nothing comes back");
}

#[test]
fn a_retry_of_who_is_over_the_limit_is_explained_as_it_is_decided() {
    let mut world = World::of_equal_nodes(Policy::default(), 2);
    let user = UserId::parse("ann").ok();
    let asking = |request: &str| RouteRequest { user: user.clone(), ..text(request) };
    world.pick(&asking("r0"));
    world.pick(&asking("r1"));
    assert!(world.explain(&asking("r2")).outcome.is_err(), "two a second");
    world.settle(&asking("r0").key, OutcomeResult::Failed);
    assert!(world.explain(&asking("r0")).outcome.is_ok(), "a retry is free");
    assert!(world.decide(&asking("r0")).outcome.is_ok());
}

#[test]
fn a_request_that_can_never_fit_says_so_at_once() {
    let mut world = World::of_equal_nodes(policy(Mode::Enforced), 1);
    let greedy = RouteRequest { max_output_tokens: Some(10_001), ..asking("r0") };
    let rejection = world.decide(&greedy).outcome.expect_err("it is more than the burst");
    assert!(rejection.retry_delay.is_none() && !rejection.may_pass());
    let RejectionReason::OverLimit(over) = rejection.reason else { panic!("{rejection:?}") };
    assert_eq!((over.limit, over.needed, over.remaining), (10_000, 10_051, 10_000));
    world.report("n0", idle_load());
    assert_eq!(world.in_flight(), 0);
}

/// All find at the same moment that nobody asks the same: the claim decides, not what each has seen.
#[test]
fn of_identical_requests_on_many_threads_one_goes_to_a_node() {
    let world = World::of_equal_nodes(Policy::default(), 4);
    let fingerprint = Some(Fingerprint::of_canonical(b"the question"));
    let barrier = Barrier::new(4);
    // Fewer than the nodes have room for: nobody settles.
    for round in 0..300 {
        let model = ModelName::parse(&format!("m{round}")).expect("a good name");
        let routed = AtomicU32::new(0);
        thread::scope(|scope| {
            for caller in 0..4 {
                let (world, barrier, routed, model) = (&world, &barrier, &routed, model.clone());
                scope.spawn(move || {
                    let patience = Patience::Waits;
                    let asked = text(&format!("{round}-{caller}"));
                    let request = RouteRequest { fingerprint, patience, model, ..asked };
                    let mut turn = Turn { now: world.now, chance: Chance::with_seed(caller) };
                    barrier.wait();
                    let decision = route::decide(&request, &world.state, &world.policy, &mut turn);
                    routed.fetch_add(u32::from(decision.outcome.is_ok()), Relaxed);
                });
            }
        });
        assert_eq!(routed.into_inner(), 1, "in round {round}");
    }
}
