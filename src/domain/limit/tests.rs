use std::time::Duration;

use super::*;

fn count(count: u32) -> NonZeroU32 {
    NonZeroU32::new(count).expect("not 0")
}

#[test]
fn premium_users_may_ask_ten_times_a_second_and_free_ones_twice() {
    let rules = LimitPolicy::default().rules;
    let told: Vec<_> = rules.iter().map(|rule| (rule.name.as_str(), rule.tier, rule.quota)).collect();
    let of =
        |per_second: u32| Quota::Requests { per_second: f64::from(per_second), burst: count(per_second) };
    let expected =
        [("premium-requests", Some(Tier::Premium), of(10)), ("free-requests", Some(Tier::Free), of(2))];
    assert_eq!(told, expected);
    assert!(rules.iter().all(|rule| rule.per == Per::User && rule.mode == Mode::Enforced));
}

#[test]
fn rates_of_requests_have_a_range() {
    for good in [0.001, 0.1, 1e6] {
        assert!(Quota::requests(good, count(1)).is_ok(), "{good}");
    }
    for bad in [0.0, -1.0, 0.0009, 1_000_001.0, f64::NAN, f64::INFINITY] {
        assert!(matches!(Quota::requests(bad, count(1)), Err(QuotaError::PerSecond(_))), "{bad}");
    }
}

#[test]
fn rates_of_tokens_have_a_range() {
    assert!(Quota::tokens(count(100_000_000), count(1)).is_ok());
    assert_eq!(Quota::tokens(count(100_000_001), count(1)), Err(QuotaError::PerMinute(100_000_001)));
}

#[test]
fn a_burst_refills_within_a_day() {
    assert!(Quota::tokens(count(1), count(1440)).is_ok());
    let error = Quota::tokens(count(1), count(1441)).expect_err("a minute too much");
    assert_eq!(error.to_string(), "a burst of 1441 takes over 24 h to refill: lower it or raise the rate");
    assert!(Quota::requests(0.1, count(8_641)).is_err());
}

#[test]
fn what_a_request_does_not_tell_is_taken_from_the_policy() {
    let policy = LimitPolicy::default();
    assert_eq!(policy.expected_tokens(None, None), 1_000);
    assert_eq!(policy.expected_tokens(Some(1), None), 501);
    assert_eq!(policy.expected_tokens(Some(0), Some(2)), 2);
    assert_eq!(policy.expected_tokens(Some(u32::MAX), None), u32::MAX);
}

#[test]
fn names_are_those_of_their_own() {
    assert!(Per::NAMES.iter().all(|(per, name)| per.name() == *name));
}

#[test]
fn a_shadow_never_refuses() {
    let verdict = |mode, fit| LimitVerdict {
        rule: LimitName::parse("rule").expect("a name"),
        per: Per::User,
        quota: Quota::Requests { per_second: 1.0, burst: count(3) },
        mode,
        cost: 1,
        remaining: 0,
        fit,
    };
    let late = Fit::After(Duration::from_millis(5));
    assert_eq!(verdict(Mode::Shadow, late).refusal(), None);
    assert_eq!(verdict(Mode::Enforced, Fit::Now).refusal(), None);
    let refusal = verdict(Mode::Enforced, late).refusal().expect("refused");
    assert_eq!((refusal.retry_delay, refusal.limit), (Some(Duration::from_millis(5)), 3));
    let refusal = verdict(Mode::Enforced, Fit::Never).refusal().expect("refused");
    assert_eq!(refusal.retry_delay, None);
}
