use super::*;
use crate::proto::{CachedAnswer, Filter, LimitUnit, RejectionReason, cached_answer::Body};

fn response(outcome: Outcome) -> PickNodeResponse {
    PickNodeResponse { request_id: "r".into(), outcome: Some(outcome), ..PickNodeResponse::default() }
}

fn routed(route: Route) -> PickNodeResponse {
    let route = Route { node_id: "n".into(), endpoint: "http://a".into(), ..route };
    response(Outcome::Route(route))
}

fn over_limit(needed: i64, retry_delay: Option<prost_types::Duration>) -> PickNodeResponse {
    let over = OverLimit {
        rule: "trial".into(),
        unit: LimitUnit::Tokens.into(),
        limit: 1000,
        remaining: 12,
        needed,
    };
    response(Outcome::Rejection(Rejection {
        reason: RejectionReason::OverLimit.into(),
        message: "over the limit `trial`".into(),
        retry_delay,
        over_limit: Some(over),
        ..Rejection::default()
    }))
}

#[test]
fn a_rejection_is_told_with_its_filter_and_when_to_come_back() {
    let rejection = Rejection {
        reason: RejectionReason::NoEligibleNode.into(),
        message: "no node is left".into(),
        retry_delay: Some(prost_types::Duration { seconds: 1, nanos: 500_000_000 }),
        emptied_by: Filter::Breaker.into(),
        over_limit: None,
    };
    let response = response(Outcome::Rejection(rejection));
    let expected = "rejected: no node is left\n  filter       breaker\n  again        in 1.50 s";
    assert_eq!(told(&response, "m"), expected);
    assert_eq!(ending(&response), Ending::Rejected);
}

#[test]
fn a_request_over_a_limit_is_told_which_and_when_to_come_back() {
    let response = over_limit(300, Some(prost_types::Duration { seconds: 90, nanos: 0 }));
    let expected = "rejected: over the limit `trial`
  limit        trial: 300 tokens needed, 12 of 1000 left
  again        in 1m 30s";
    assert_eq!(told(&response, "m"), expected);
    assert_eq!(ending(&response), Ending::Rejected);
}

#[test]
fn a_request_that_never_fits_is_told_so() {
    let told = told(&over_limit(1001, None), "m");
    assert!(
        told.ends_with("  again        never as it is: it needs more than the limit admits at once"),
        "{told}"
    );
}

#[test]
fn a_route_to_another_model_says_so() {
    let smaller = routed(Route { model: "small".into(), ..Route::default() });
    assert_eq!(
        told(&smaller, "large"),
        "n  http://a\n  request      r\n  model        ask for small in place of large"
    );
    assert_eq!(told(&smaller, "small"), "n  http://a\n  request      r");
    // An older service does not say the model.
    assert_eq!(told(&routed(Route::default()), "large"), "n  http://a\n  request      r");
}

#[test]
fn a_route_tells_what_the_node_holds_and_which_policy_picked_it() {
    let holds = |expected_cached_tokens| {
        told(&routed(Route { policy: "hash".into(), expected_cached_tokens, ..Route::default() }), "m")
    };
    assert_eq!(
        holds(Some(512)),
        "n  http://a\n  request      r\n  cached       about 512 tokens of the prompt\n  policy       hash"
    );
    assert!(holds(Some(0)).contains("about 0 tokens"), "nothing is not unknown");
    assert!(!holds(None).contains("cached"));
}

#[test]
fn each_rung_but_normal_is_told() {
    let at = |rung: Rung| told(&PickNodeResponse { rung: rung.into(), ..routed(Route::default()) }, "m");
    assert_eq!(at(Rung::Normal), "n  http://a\n  request      r");
    assert!(
        at(Rung::Frozen).ends_with("\n  frozen       most nodes are silent; their last known load was used")
    );
    assert!(at(Rung::Panic).ends_with("\n  panic        most of the pool is ejected; breakers were ignored"));
    assert!(at(Rung::Busy).ends_with("\n  busy         free requests of low priority get less"));
    assert!(at(Rung::Overloaded).ends_with("\n  overloaded   free requests of normal priority get less too"));
}

#[test]
fn a_known_answer_is_a_success() {
    let answer = CachedAnswer { body: Some(Body::Inline("yes".into())), ..CachedAnswer::default() };
    let response = response(Outcome::CachedAnswer(answer));
    assert_eq!(ending(&response), Ending::Done);
    assert_eq!(told(&response, "m"), "known answer: 3 bytes\n  fresh        stored – ago\n  answer\n    yes");
}
