mod law;
mod reload;

use std::time::Duration;

use super::{ask::SHARED_MAX, *};
use crate::domain::{
    id::{LimitName, ModelName, RequestId, TenantId, UserId},
    limit::{Per, Quota, RuleStats, Unit},
    node::RequestType,
    request::{RequestKey, Tier},
};

fn at(millis: u64) -> Instant {
    // Not at the beginning of time, where the clock could not be set back.
    Instant::ZERO + Duration::from_secs(1_000) + Duration::from_millis(millis)
}

fn count(count: u32) -> NonZeroU32 {
    NonZeroU32::new(count).expect("not 0")
}

/// A free request of user `ada` of tenant `acme` for model `small`.
fn request() -> RouteRequest {
    let key = RequestKey {
        tenant: TenantId::parse("acme").expect("a name"),
        request: RequestId::parse("1").expect("a name"),
    };
    let model = ModelName::parse("small").expect("a name");
    RouteRequest { user: Some(user("ada")), ..RouteRequest::of(key, RequestType::Text, model) }
}

fn user(name: &str) -> UserId {
    UserId::parse(name).expect("a name")
}

fn of_user(name: &str) -> RouteRequest {
    RouteRequest { user: Some(user(name)), ..request() }
}

fn of_tenant(name: &str) -> RouteRequest {
    let mut request = request();
    request.key.tenant = TenantId::parse(name).expect("a name");
    request
}

fn of_model(name: &str) -> RouteRequest {
    RouteRequest { model: ModelName::parse(name).expect("a name"), ..request() }
}

fn rule(name: &str, per: Per, quota: Quota) -> LimitRule {
    let name = LimitName::parse(name).expect("a name");
    LimitRule { name, per, tier: None, model: None, tenant: None, quota, mode: Mode::Enforced }
}

fn requests(per_second: f64, burst: u32) -> Quota {
    Quota::requests(per_second, count(burst)).expect("a good quota")
}

/// A thousandth of a token a millisecond.
fn tokens(burst: u32) -> Quota {
    Quota::tokens(count(60), count(burst)).expect("a good quota")
}

fn policy(rules: impl IntoIterator<Item = LimitRule>) -> LimitPolicy {
    LimitPolicy { rules: rules.into_iter().collect(), ..LimitPolicy::default() }
}

/// How many of `asks` such requests are admitted.
fn admitted(
    limits: &Limits,
    request: &RouteRequest,
    policy: &LimitPolicy,
    asks: usize,
    now: Instant,
) -> usize {
    (0..asks).filter(|_| limits.admit_request(request, policy, now).is_ok()).count()
}

fn stats(limits: &Limits) -> Vec<(u64, u64, u64)> {
    let told = |rule: &RuleStats| (rule.fitted, rule.refused, rule.shadow_refused);
    limits.stats().rules.iter().map(told).collect()
}

#[test]
fn a_free_users_third_request_within_a_second_is_told_when_to_come_back() {
    let (limits, policy) = (Limits::default(), LimitPolicy::default());
    assert_eq!(admitted(&limits, &request(), &policy, 1, at(0)), 1);
    assert_eq!(admitted(&limits, &request(), &policy, 1, at(100)), 1);
    let over = limits.admit_request(&request(), &policy, at(200)).expect_err("the third");
    let rule = LimitName::parse("free-requests").expect("a name");
    let retry_delay = Some(Duration::from_millis(300));
    assert_eq!(
        over,
        OverLimit {
            rule,
            per: Per::User,
            retry_delay,
            unit: Unit::Requests,
            needed: 1,
            limit: 2,
            remaining: 0
        }
    );
    let nearly = Instant::from_nanos(at(500).as_nanos() - 1);
    assert!(limits.admit_request(&request(), &policy, nearly).is_err());
    assert!(limits.admit_request(&request(), &policy, at(500)).is_ok());
}

#[test]
fn a_premium_user_has_ten() {
    let (limits, policy) = (Limits::default(), LimitPolicy::default());
    let premium = RouteRequest { tier: Tier::Premium, ..request() };
    assert_eq!(admitted(&limits, &premium, &policy, 20, at(0)), 10);
}

#[test]
fn each_is_counted_apart_as_the_rule_says() {
    let premium = RouteRequest { tier: Tier::Premium, ..request() };
    let others = [of_user("bob"), of_tenant("other"), of_model("large"), premium];
    // Who else than the first request is let through once that has taken everything.
    for (per, expected) in [
        (Per::User, [true, true, false, false]),
        (Per::Tenant, [false, true, false, false]),
        (Per::Model, [false, true, true, false]),
        (Per::Tier, [false, true, false, true]),
    ] {
        let (limits, policy) = (Limits::default(), policy([rule("one", per, requests(1.0, 1))]));
        assert_eq!(admitted(&limits, &request(), &policy, 2, at(0)), 1);
        let let_through = others.each_ref().map(|other| limits.admit_request(other, &policy, at(0)).is_ok());
        assert_eq!(let_through, expected, "{per:?}");
    }
}

#[test]
fn requests_that_name_no_user_are_not_counted_per_user() {
    let (limits, policy) = (Limits::default(), LimitPolicy::default());
    let anonymous = RouteRequest { user: None, ..request() };
    assert_eq!(admitted(&limits, &anonymous, &policy, 5, at(0)), 5);
    assert_eq!(limits.stats().keys, 0);
}

#[test]
fn a_rule_is_only_for_what_it_names() {
    let named = LimitRule {
        tier: Some(Tier::Free),
        model: Some(request().model),
        tenant: Some(request().key.tenant),
        ..rule("narrow", Per::Tenant, requests(1.0, 1))
    };
    let (limits, policy) = (Limits::default(), policy([named]));
    assert_eq!(admitted(&limits, &request(), &policy, 9, at(0)), 1);
    let premium = RouteRequest { tier: Tier::Premium, ..request() };
    for other in [of_tenant("other"), of_model("large"), premium] {
        assert_eq!(admitted(&limits, &other, &policy, 9, at(0)), 9);
    }
}

#[test]
fn a_refused_request_takes_nothing_of_any_rule() {
    let wide = rule("wide", Per::Tenant, requests(1.0, 5));
    let (limits, policy) = (Limits::default(), policy([wide, rule("narrow", Per::User, requests(1.0, 1))]));
    assert_eq!(admitted(&limits, &request(), &policy, 50, at(0)), 1);
    assert_eq!(admitted(&limits, &of_user("bob"), &policy, 50, at(0)), 1);
    assert_eq!(limits.peek(&request(), 0, &policy, at(0))[0].remaining, 3);
    assert_eq!(stats(&limits), [(100, 0, 0), (2, 98, 0)]);
}

#[test]
fn what_is_given_back_costs_nothing() {
    let (limits, policy) = (Limits::default(), LimitPolicy::default());
    for _ in 0..100 {
        let taken = limits.admit_request(&request(), &policy, at(0)).expect("nothing is spent");
        limits.give_back(taken, at(0));
    }
    assert_eq!(limits.stats().keys, 0, "and leaves nothing behind");
}

#[test]
fn what_is_given_back_late_makes_no_more_than_the_burst() {
    let (limits, policy) = (Limits::default(), LimitPolicy::default());
    let taken = limits.admit_request(&request(), &policy, at(0)).expect("the first");
    limits.give_back(taken, at(10_000));
    assert_eq!(admitted(&limits, &request(), &policy, 9, at(10_000)), 2);
}

#[test]
fn a_shadow_counts_and_lets_through() {
    let shadow = LimitRule { mode: Mode::Shadow, ..rule("shadow", Per::User, requests(1.0, 2)) };
    let (limits, policy) = (Limits::default(), policy([shadow]));
    assert_eq!(admitted(&limits, &request(), &policy, 5, at(0)), 5);
    assert_eq!(stats(&limits), [(2, 0, 3)]);
}

#[test]
fn a_settled_reservation_costs_what_was_used() {
    let (limits, policy) = (Limits::default(), policy([rule("tokens", Per::Tenant, tokens(1_000))]));
    let remaining = || limits.peek(&request(), 0, &policy, at(0))[0].remaining;
    let reserved = limits.reserve_tokens(&request(), 600, &policy, at(0)).expect("fits");
    assert_eq!(remaining(), 400);
    limits.settle(reserved, 100, &policy, at(0));
    assert_eq!(remaining(), 900);
    let reserved = limits.reserve_tokens(&request(), 600, &policy, at(0)).expect("fits");
    limits.settle(reserved, 800, &policy, at(0));
    assert_eq!(remaining(), 100);
    let reserved = limits.reserve_tokens(&request(), 100, &policy, at(0)).expect("fits");
    limits.cancel(reserved, at(0));
    assert_eq!(remaining(), 100);
}

#[test]
fn one_wild_outcome_locks_out_for_no_longer_than_a_burst_takes_to_refill() {
    let (limits, policy) = (Limits::default(), policy([rule("tokens", Per::User, tokens(100))]));
    let reserved = limits.reserve_tokens(&request(), 1, &policy, at(0)).expect("fits");
    limits.settle(reserved, u64::MAX, &policy, at(0));
    let over = limits.reserve_tokens(&request(), 1, &policy, at(0)).expect_err("in debt");
    assert_eq!((over.retry_delay, over.remaining), (Some(Duration::from_secs(101)), 0));
    assert!(limits.reserve_tokens(&request(), 1, &policy, at(101_000)).is_ok());
}

#[test]
fn more_than_the_burst_is_told_that_it_never_fits() {
    let (limits, policy) = (Limits::default(), policy([rule("tokens", Per::User, tokens(100))]));
    let over = limits.reserve_tokens(&request(), 101, &policy, at(0)).expect_err("too much");
    assert_eq!((over.retry_delay, over.limit, over.remaining), (None, 100, 100));
    assert!(limits.reserve_tokens(&request(), 100, &policy, at(0)).is_ok());
    let over = limits.reserve_tokens(&request(), 0, &policy, at(0)).expect_err("nothing left, even for 0");
    assert_eq!(over.retry_delay, Some(Duration::from_secs(1)));
}

#[test]
fn peeking_says_what_asking_would_and_changes_nothing() {
    let rules = [rule("tokens", Per::User, tokens(100)), rule("requests", Per::User, requests(2.0, 1))];
    let (limits, policy) = (Limits::default(), policy(rules));
    for turn in 0..40 {
        let now = at(turn * 170);
        let verdicts = limits.peek(&request(), 30, &policy, now);
        assert_eq!(limits.peek(&request(), 30, &policy, now), verdicts);
        let [of_requests, of_tokens] = verdicts.as_slice() else { panic!("two rules") };
        assert_eq!(limits.admit_request(&request(), &policy, now).err(), of_requests.refusal());
        assert_eq!(limits.reserve_tokens(&request(), 30, &policy, now).err(), of_tokens.refusal());
    }
    assert!(limits.stats().rules.iter().all(|rule| rule.fitted > 0 && rule.refused > 0));
}

#[test]
fn beyond_the_last_key_those_of_a_tenant_share_one() {
    let (limits, policy) = (Limits::default(), LimitPolicy { keys_max: 1, ..LimitPolicy::default() });
    assert_eq!(admitted(&limits, &of_user("first"), &policy, 9, at(0)), 2);
    let crowd = |tenant| {
        let asks =
            (0..9).map(|name| RouteRequest { user: Some(user(&format!("{name}"))), ..of_tenant(tenant) });
        asks.filter(|ask| limits.admit_request(ask, &policy, at(0)).is_ok()).count()
    };
    assert_eq!((crowd("acme"), crowd("other")), (2, 2), "within the quota, and apart from other tenants");
    let stats = limits.stats();
    assert_eq!((stats.keys, stats.overflowed, stats.uncounted), (3, 18, 0));
    assert!(limits.peek(&of_user("new"), 0, &policy, at(0))[0].refusal().is_some());
    limits.sweep(at(1_000));
    assert_eq!(limits.stats().keys, 0);
}

#[test]
fn invented_tenants_do_not_take_all_memory() {
    let (limits, policy) = (Limits::default(), LimitPolicy { keys_max: 10, ..LimitPolicy::default() });
    let tenants = 2 * SHARED_MAX;
    for tenant in 0..tenants {
        assert_eq!(admitted(&limits, &of_tenant(&format!("{tenant}")), &policy, 1, at(0)), 1);
    }
    let stats = limits.stats();
    assert_eq!(stats.keys, 10 + SHARED_MAX);
    assert_eq!(stats.uncounted, (tenants - 10 - SHARED_MAX) as u64);
}
