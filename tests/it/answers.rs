//! Answers and lines through the desk, with many callers at once, in paused time.

use std::{sync::Arc, time::Duration};

use pointsman::{
    api::desk::Desk,
    domain::{
        answer::{AnswerBody, NewAnswer, Volatility, fingerprint::Fingerprint},
        decision::{Decision, Granted, RejectionReason},
        id::UserId,
        limit::{LimitName, LimitPolicy, LimitRule, Mode, Per, Quota},
        node::NodeSpec,
        outcome::OutcomeResult,
        policy::Policy,
        request::{Patience, Priority, RouteRequest, Tier},
    },
};
use tokio::{
    task::JoinSet,
    time::{Instant, advance},
};

use crate::world::{outcome, text, text_node};

const PATIENCE: Duration = Duration::from_secs(50);

fn desk(policy: Policy, nodes: impl IntoIterator<Item = NodeSpec>) -> Arc<Desk> {
    let desk = Desk::new(policy, 10_000, 7, 7);
    for node in nodes {
        desk.state.nodes.admit(node, &desk.policy()).expect("the table has room");
    }
    Arc::new(desk)
}

fn identical(request: &str) -> RouteRequest {
    let fingerprint = Some(Fingerprint::of_canonical(b"the question"));
    RouteRequest { fingerprint, patience: Patience::Waits, ..text(request) }
}

fn answer(bytes: &str) -> NewAnswer {
    NewAnswer { body: AnswerBody::Reference(bytes.into()), volatility: Volatility::Usual, ttl: None }
}

/// Starts requests, and lets them come as far as they can.
async fn ask(desk: &Arc<Desk>, requests: impl IntoIterator<Item = RouteRequest>) -> JoinSet<Decision> {
    let mut asked = JoinSet::new();
    for request in requests {
        let desk = Arc::clone(desk);
        asked.spawn(async move { desk.decide_within(&request, PATIENCE).await });
    }
    settle_down().await;
    asked
}

async fn settle_down() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

/// The requests that have been sent to a node by now, by name.
fn routed(desk: &Desk) -> usize {
    desk.state.leases.live()
}

#[tokio::test(start_paused = true)]
async fn of_a_thousand_identical_requests_one_goes_to_a_node_and_all_get_its_answer() {
    let desk = desk(Policy::default(), [text_node("a")]);
    let mut asked = ask(&desk, (0..1000).map(|i| identical(&format!("r{i}")))).await;
    assert_eq!((routed(&desk), desk.waiting()), (1, 999));
    let leader = asked.join_next().await.expect("one is decided").expect("no panic");
    assert!(matches!(leader.outcome, Ok(Granted::Route(_))));
    let key = identical("any").answer_key().expect("it has a fingerprint");
    desk.store(&key, &answer("the answer")).expect("it is short");
    while let Some(decision) = asked.join_next().await {
        let Ok(Granted::Answer(given)) = decision.expect("no panic").outcome else { panic!("not answered") };
        assert!(given.coalesced && !given.stale);
        assert_eq!(given.body, AnswerBody::Reference("the answer".into()));
    }
    let stats = desk.state.answers.stats();
    assert_eq!((stats.coalesced, stats.hits, stats.misses), (999, 999, 1));
    assert_eq!((routed(&desk), desk.waiting()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_fails_or_dies_is_followed_by_one_more() {
    let desk = desk(Policy::default(), [text_node("a")]);
    let lease_ttl = Some(Duration::from_secs(5));
    let requests = (0..1000).map(|i| RouteRequest { lease_ttl, ..identical(&format!("r{i}")) });
    let _asked = ask(&desk, requests).await;
    assert_eq!((routed(&desk), desk.waiting()), (1, 999));
    desk.settle(&outcome(&text("r0").key, OutcomeResult::Failed));
    settle_down().await;
    assert_eq!((routed(&desk), desk.waiting()), (1, 998), "the failed one has ended, the next one leads");
    advance(Duration::from_millis(4900)).await;
    settle_down().await;
    assert_eq!(desk.waiting(), 998, "it may still answer");
    advance(Duration::from_millis(200)).await;
    settle_down().await;
    desk.sweep();
    assert_eq!((routed(&desk), desk.waiting()), (1, 997), "it is dead: its lease has ended");
}

#[tokio::test(start_paused = true)]
async fn who_has_waited_in_vain_for_an_answer_is_routed() {
    let desk = desk(Policy::default(), [text_node("a")]);
    let mut asked = ask(&desk, ["r0", "r1"].map(identical)).await;
    asked.join_next().await.expect("the leader").expect("no panic");
    let began = Instant::now();
    desk.settle(&outcome(&text("r0").key, OutcomeResult::Running));
    let slow = asked.join_next().await.expect("the other").expect("no panic");
    assert!(matches!(slow.outcome, Ok(Granted::Route(_))));
    let late = (began + PATIENCE).duration_since(Instant::now()).max(Instant::now() - (began + PATIENCE));
    assert!(late <= Duration::from_millis(20), "{late:?} beside its deadline");
}

fn of_user(user: &str, priority: Priority, request: &str) -> RouteRequest {
    let user = Some(UserId::parse(user).expect("a good name"));
    RouteRequest { user, priority, patience: Patience::Waits, ..text(request) }
}

/// A limit of two a second for the whole tenant: the order in which its callers are let in.
#[tokio::test(start_paused = true)]
async fn those_over_a_limit_are_served_by_priority_then_in_turn_at_the_rate_of_the_limit() {
    let rule = LimitRule {
        name: LimitName::parse("tenant").expect("a good name"),
        per: Per::Tenant,
        tier: None,
        model: None,
        tenant: None,
        quota: Quota::requests(2.0, std::num::NonZeroU32::MIN).expect("a sound quota"),
        mode: Mode::Enforced,
    };
    let limits = LimitPolicy { rules: [rule].into(), ..LimitPolicy::default() };
    let high = pointsman::domain::node::NodeClass::High;
    let nodes = [text_node("a"), NodeSpec { class: high, ..text_node("h") }];
    let desk = desk(Policy { limits, ..Policy::default() }, nodes);
    let mut requests = vec![of_user("first", Priority::Normal, "first")];
    requests.extend((0..6).map(|i| of_user("ann", Priority::Low, &format!("ann-{i}"))));
    requests.extend((0..6).map(|i| of_user("ben", Priority::Low, &format!("ben-{i}"))));
    let paid = |request| RouteRequest { tier: Tier::Premium, ..request };
    requests.extend((0..2).map(|i| paid(of_user("dan", Priority::Low, &format!("dan-{i}")))));
    requests.extend((0..3).map(|i| of_user("cid", Priority::High, &format!("cid-{i}"))));
    let began = Instant::now();
    let mut order = Vec::new();
    let mut asked = JoinSet::new();
    for request in requests {
        let desk = Arc::clone(&desk);
        asked.spawn(async move {
            let decision = desk.decide_within(&request, PATIENCE).await;
            assert!(decision.outcome.is_ok(), "{decision:?}");
            (request.key.request.to_string(), began.elapsed())
        });
        settle_down().await;
    }
    while let Some(served) = asked.join_next().await {
        order.push(served.expect("no panic"));
    }
    let names: Vec<_> = order.iter().map(|(name, _)| &name[..3]).collect();
    assert_eq!(names[..6], ["fir", "cid", "cid", "cid", "dan", "dan"], "the urgent, then those who pay");
    assert!(names[6..].chunks(2).all(|pair| pair[0] != pair[1]), "in turn: {names:?}");
    for (i, (name, at)) in order.iter().enumerate() {
        let due = Duration::from_millis(500) * u32::try_from(i).expect("few");
        assert!(at.abs_diff(due) <= Duration::from_millis(20), "{name} came {at:?} and not {due:?}");
    }
}

/// A node with room for two: the others wait for it instead of piling up, and leave when their time is over.
#[tokio::test(start_paused = true)]
async fn with_no_room_on_any_node_those_who_may_wait_do() {
    let capacity = std::num::NonZeroU32::new(2);
    let desk = desk(Policy::default(), [NodeSpec { queue_capacity: capacity, ..text_node("a") }]);
    let waits = |i| RouteRequest { patience: Patience::Waits, ..text(&format!("r{i}")) };
    let mut asked = ask(&desk, (0..5).map(waits)).await;
    assert_eq!((routed(&desk), desk.waiting()), (2, 3));
    assert!(desk.decide(&text("hurried")).outcome.is_ok(), "who does not wait takes a place on a full node");
    desk.settle(&outcome(&text("hurried").key, OutcomeResult::Ok));
    desk.settle(&outcome(&text("r0").key, OutcomeResult::Ok));
    settle_down().await;
    assert_eq!((routed(&desk), desk.waiting()), (2, 2), "the room that came free is taken");
    let mut ended = Vec::new();
    while let Some(decision) = asked.join_next().await {
        let decision = decision.expect("no panic");
        ended.push(decision.outcome.map_err(|rejection| rejection.reason));
    }
    let saturated = ended.iter().filter(|end| **end == Err(RejectionReason::Saturated)).count();
    assert_eq!((ended.len(), saturated, desk.waiting()), (5, 2, 0));
}

/// Room that comes free is for who waits, even if somebody else comes before that one can take it.
#[tokio::test(start_paused = true)]
async fn a_newcomer_does_not_overtake_those_who_wait() {
    let capacity = std::num::NonZeroU32::new(1);
    let desk = desk(Policy::default(), [NodeSpec { queue_capacity: capacity, ..text_node("a") }]);
    let waits = |name: &str| RouteRequest { patience: Patience::Waits, ..text(name) };
    let mut asked = ask(&desk, ["first", "second"].map(waits)).await;
    asked.join_next().await.expect("the first is sent").expect("no panic").outcome.expect("to the node");
    desk.settle(&outcome(&text("first").key, OutcomeResult::Ok));
    let third = waits("third");
    let mut newcomer = std::pin::pin!(desk.decide_within(&third, PATIENCE));
    assert!(futures_util::poll!(&mut newcomer).is_pending());
    asked.join_next().await.expect("the second is sent").expect("no panic").outcome.expect("to the node");
    desk.settle(&outcome(&text("second").key, OutcomeResult::Ok));
    assert!(newcomer.await.outcome.is_ok());
}

#[tokio::test(start_paused = true)]
async fn callers_that_hang_up_leave_no_place_behind() {
    let desk = desk(Policy::default(), [text_node("a")]);
    let _leader = ask(&desk, [identical("leader")]).await;
    for round in 0..100 {
        let requests = (0..1000).map(|i| identical(&format!("r{round}-{i}")));
        let mut asked = ask(&desk, requests).await;
        assert_eq!(desk.waiting(), 1000);
        asked.shutdown().await;
        assert_eq!(desk.waiting(), 0);
    }
}
