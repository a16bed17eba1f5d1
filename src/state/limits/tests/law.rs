//! In any span `t`: admitted, less what was given back, is at most `burst + rate · t`.

use std::{
    collections::VecDeque,
    sync::atomic::{AtomicU64, Ordering::SeqCst},
};

use proptest::prelude::*;

use super::*;

/// Units taken (more than 0) or given back (less) at a moment.
type Flow = (u64, i64);

/// Whether some span breaks the law. In a span that starts with something taken and ends with it, the most flows.
fn check(quota: Quota, flows: &[Flow]) -> Result<(), TestCaseError> {
    for (start, (first, _)) in flows.iter().enumerate() {
        let mut net = 0;
        for (last, units) in &flows[start..] {
            net += units;
            let allowed = f64::from(quota.burst().get()) + quota.per_second() * (last - first) as f64 / 1e9;
            prop_assert!(net as f64 <= allowed + 1e-6, "{net} of {allowed} from {first} to {last} ns");
        }
    }
    Ok(())
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Wait(u64),
    Ask,
    GiveBack,
    Reserve(u32),
    Settle(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0..1_500_000_000_u64).prop_map(Step::Wait),
        6 => Just(Step::Ask),
        2 => Just(Step::GiveBack),
        4 => (1..60_u32).prop_map(Step::Reserve),
        3 => (0..60_u64).prop_map(Step::Settle),
    ]
}

proptest! {
    #[test]
    fn no_schedule_of_requests_breaks_the_law(
        rate in 0.1..50.0_f64,
        burst in 1..20_u32,
        steps in prop::collection::vec(step(), 1..150),
    ) {
        let quota = requests(rate, burst);
        let (limits, policy) = (Limits::default(), policy([rule("law", Per::User, quota)]));
        let (mut now, mut flows, mut taken) = (at(0), Vec::new(), VecDeque::new());
        for step in steps {
            match step {
                Step::Wait(nanos) => now = now + Duration::from_nanos(nanos),
                Step::GiveBack | Step::Settle(_) => {
                    let Some(admitted) = taken.pop_front() else { continue };
                    limits.give_back(admitted, now);
                    flows.push((now.as_nanos(), -1));
                }
                Step::Ask | Step::Reserve(_) => if let Ok(admitted) = limits.admit_request(&request(), &policy, now) {
                    taken.push_back(admitted);
                    flows.push((now.as_nanos(), 1));
                },
            }
            if let Step::Wait(_) = step {
                limits.sweep(now);
            }
        }
        check(quota, &flows)?;
    }

    /// A debt is not taken by anyone's leave: it is left out, and can only lower what is admitted.
    #[test]
    fn no_schedule_of_reservations_breaks_the_law(
        per_minute in 1..10_000_u32,
        burst in 1..100_u32,
        steps in prop::collection::vec(step(), 1..150),
    ) {
        let quota = Quota::Tokens { per_minute: count(per_minute), burst: count(burst) };
        let (limits, policy) = (Limits::default(), policy([rule("law", Per::User, quota)]));
        let (mut now, mut flows, mut taken) = (at(0), Vec::new(), VecDeque::new());
        for step in steps {
            match step {
                Step::Wait(nanos) => now = now + Duration::from_nanos(nanos),
                Step::Settle(used) => {
                    let Some((reservation, reserved)): Option<(_, i64)> = taken.pop_front() else { continue };
                    limits.settle(reservation, used, &policy, now);
                    flows.push((now.as_nanos(), i64::try_from(used).map_or(0, |used| used.min(reserved) - reserved)));
                }
                Step::GiveBack => {
                    let Some((reservation, reserved)) = taken.pop_back() else { continue };
                    limits.cancel(reservation, now);
                    flows.push((now.as_nanos(), -reserved));
                }
                Step::Ask => limits.sweep(now),
                Step::Reserve(cost) => {
                    if let Ok(reservation) = limits.reserve_tokens(&request(), cost, &policy, now) {
                        taken.push_back((reservation, i64::from(cost)));
                        flows.push((now.as_nanos(), i64::from(cost)));
                    }
                }
            }
        }
        check(quota, &flows)?;
    }

    /// Callers whose times go back and forth: in the order in which they came, at the latest time told until then.
    #[test]
    fn a_clock_that_goes_back_neither_breaks_the_law_nor_refuses_beyond_it(
        jumps in prop::collection::vec((-1_000..1_500_i64, 1..4_usize), 1..100),
    ) {
        let quota = requests(10.0, 10);
        let (limits, steady) = (Limits::default(), Limits::default());
        let policy = policy([rule("law", Per::User, quota)]);
        let (mut told, mut latest, mut flows) = (10_000, 0, Vec::new());
        for (jump, asks) in jumps {
            told = (told + jump).max(0);
            latest = latest.max(told);
            for _ in 0..asks {
                let [told, latest] = [told, latest].map(|millis| at(u64::try_from(millis).expect("at least 0")));
                let outcome = limits.admit_request(&request(), &policy, told);
                prop_assert_eq!(outcome.is_ok(), steady.admit_request(&request(), &policy, latest).is_ok());
                if let Err(OverLimit { retry_delay, .. }) = &outcome {
                    let back = told + retry_delay.expect("one fits");
                    let before = Instant::from_nanos(back.as_nanos() - 1);
                    let fits = |now| limits.peek(&request(), 0, &policy, now)[0].fit == Fit::Now;
                    prop_assert!(fits(back) && !fits(before));
                }
                if outcome.is_ok() {
                    flows.push((latest.as_nanos(), 1));
                }
            }
        }
        check(quota, &flows)?;
    }
}

#[test]
fn one_request_after_the_clock_went_back_is_no_more_than_one_request() {
    for back in [1, 10, 1_000] {
        let (limits, policy) = (Limits::default(), LimitPolicy::default());
        assert_eq!(admitted(&limits, &request(), &policy, 1, at(5_000)), 1);
        assert_eq!(admitted(&limits, &request(), &policy, 5, at(5_000 - back)), 1);
    }
}

/// Threads of one tenant ask, give back and sweep while a shared clock runs; each notes what it was granted.
#[test]
fn no_interleaving_of_threads_breaks_the_law() {
    let quota = requests(1_000.0, 20);
    let (limits, policy) = (Limits::default(), policy([rule("law", Per::Tenant, quota)]));
    let clock = AtomicU64::new(0);
    let ask = |thread: u64| {
        let mut granted = Vec::new();
        for turn in 0..300_u64 {
            let now = at(0) + Duration::from_nanos(clock.fetch_add(50_000, SeqCst));
            if let Ok(taken) = limits.admit_request(&request(), &policy, now) {
                if (turn + thread).is_multiple_of(5) {
                    limits.give_back(taken, now);
                } else {
                    granted.push(now.as_nanos());
                }
            }
            if turn % 50 == thread {
                limits.sweep(now);
            }
        }
        granted
    };
    let granted: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|thread| scope.spawn(move || ask(thread))).collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("no thread panics")).collect()
    });
    // A caller that is held up after it read the clock is counted at the latest time by then, which it does not know. So
    // the law is told over the whole, where all of them are in.
    let span = clock.load(SeqCst) as f64 / 1e9;
    assert!(granted.len() as f64 <= 20.0 + 1_000.0 * span, "{} in {span} s", granted.len());
    assert!(granted.len() > 20, "time went on and so did they");
}

#[test]
fn of_500_at_once_at_a_hundredth_of_the_burst_each_100_are_admitted() {
    let (limits, policy) = (Limits::default(), policy([rule("tokens", Per::Tenant, tokens(10_000))]));
    let admitted: usize = std::thread::scope(|scope| {
        let ask =
            || (0..50).filter(|_| limits.reserve_tokens(&request(), 100, &policy, at(0)).is_ok()).count();
        let threads: Vec<_> = (0..10).map(|_| scope.spawn(ask)).collect();
        threads.into_iter().map(|thread| thread.join().expect("no thread panics")).sum()
    });
    assert_eq!(admitted, 100);
}

#[test]
fn of_500_threads_at_once_at_a_hundredth_of_the_burst_each_100_are_admitted_under_two_rules() {
    let rules = [rule("tokens", Per::Tenant, tokens(10_000)), rule("users", Per::User, tokens(50_000))];
    let (limits, policy) = (Limits::default(), policy(rules));
    let ask = || limits.reserve_tokens(&request(), 100, &policy, at(0)).is_ok();
    let admitted = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..500).map(|_| scope.spawn(ask)).collect();
        threads.into_iter().filter_map(|thread| thread.join().ok()).filter(|admitted| *admitted).count()
    });
    assert_eq!(admitted, 100);
}
