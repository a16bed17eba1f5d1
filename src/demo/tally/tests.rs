use super::*;

fn attempt(node: &str, picked: Instant, answered: bool) -> Attempt {
    Attempt { node: node.into(), picked, pick_latency: Duration::from_millis(1), answered }
}

fn text(tier: Tier, first_token_ms: Option<u64>, attempts: Vec<Attempt>) -> Served {
    Served {
        tier,
        request_type: RequestType::Text,
        first_token_latency: first_token_ms.map(Duration::from_millis),
        attempts,
    }
}

fn check(served: &[Served], at: Instant) -> Tally {
    tally("weighted_load", served, Death { node: "b", at })
}

#[test]
fn percentiles_are_by_nearest_rank() {
    let of = |count: u64| percentiles((1..=count).rev().map(Duration::from_millis));
    assert_eq!(of(0), None);
    assert_eq!(of(1), Some(Percentiles { p50_ms: 1.0, p99_ms: 1.0 }));
    assert_eq!(of(100), Some(Percentiles { p50_ms: 50.0, p99_ms: 99.0 }));
    assert_eq!(of(1000), Some(Percentiles { p50_ms: 500.0, p99_ms: 990.0 }));
}

#[test]
fn a_retried_request_has_a_failed_attempt_and_is_not_lost() {
    let now = Instant::now();
    let retried = text(Tier::Free, Some(80), vec![attempt("b", now, false), attempt("a", now, true)]);
    let lost = text(Tier::Free, None, vec![attempt("b", now, false)]);
    let tally = check(&[retried, lost], now);
    assert_eq!((tally.requests, tally.failed_attempts, tally.lost_requests), (2, 2, 1));
    assert_eq!(tally.free_first_token, Some(Percentiles { p50_ms: 80.0, p99_ms: 80.0 }));
}

#[test]
fn tiers_and_types_are_counted_apart() {
    let now = Instant::now();
    let image = Served { request_type: RequestType::Image, ..text(Tier::Premium, Some(900), Vec::new()) };
    let tally = check(&[text(Tier::Premium, Some(20), Vec::new()), image], now);
    assert_eq!(tally.premium_first_token, Some(Percentiles { p50_ms: 20.0, p99_ms: 20.0 }));
    assert_eq!(tally.image_and_audio, Some(Percentiles { p50_ms: 900.0, p99_ms: 900.0 }));
    assert_eq!(tally.free_first_token, None);
}

#[test]
fn shares_end_with_the_kill_and_the_last_pick_begins_there() {
    let death = Instant::now();
    let before = death.checked_sub(Duration::from_secs(1)).expect("the clock began earlier");
    let after = |ms| death + Duration::from_millis(ms);
    let served = [
        text(Tier::Free, Some(1), vec![attempt("a", before, true)]),
        text(Tier::Free, Some(1), vec![attempt("b", before, false), attempt("a", after(10), true)]),
        text(Tier::Free, Some(1), vec![attempt("b", after(30), false), attempt("a", after(90), true)]),
    ];
    let tally = check(&served, death);
    assert_eq!(tally.share_until_kill, BTreeMap::from([("a".into(), 0.5), ("b".into(), 0.5)]));
    assert_eq!(tally.last_pick_of_killed_ms, Some(30.0));
    assert_eq!(check(&served[..2], death).last_pick_of_killed_ms, None);
}
