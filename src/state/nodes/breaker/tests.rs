use super::*;

fn second(n: u64) -> Instant {
    Instant::after_start(Duration::from_secs(n))
}

fn policy() -> BreakerPolicy {
    BreakerPolicy::default()
}

/// A breaker that has just been opened by failures in a row, at second 1.
fn open() -> Breaker {
    let mut breaker = Breaker::new(&policy());
    for _ in 0..5 {
        breaker.observe(&policy(), second(1), second(1), Signal::Bad);
    }
    breaker
}

#[test]
fn opens_after_five_failures_in_a_row() {
    let mut breaker = Breaker::new(&policy());
    for failures in 1..=5 {
        assert_eq!(breaker.at(second(1)), BreakerState::Closed, "after {} failures", failures - 1);
        breaker.observe(&policy(), second(1), second(1), Signal::Bad);
    }
    assert_eq!(breaker.at(second(1)), BreakerState::Open);
}

#[test]
fn a_success_ends_the_run_of_failures() {
    let mut breaker = Breaker::new(&policy());
    for round in 0..10 {
        let now = second(1 + 20 * round);
        for signal in [Signal::Bad, Signal::Bad, Signal::Bad, Signal::Bad, Signal::Good] {
            breaker.observe(&policy(), now, now, signal);
        }
        assert_eq!(breaker.at(now), BreakerState::Closed, "in round {round}");
    }
}

#[test]
fn opens_on_a_low_success_ratio_without_any_run() {
    let mut breaker = Breaker::new(&policy());
    for i in 0..20 {
        assert_eq!(breaker.at(second(2)), BreakerState::Closed, "at outcome {i}");
        let signal = if i % 3 == 0 { Signal::Good } else { Signal::Bad };
        breaker.observe(&policy(), second(2), second(2), signal);
    }
    assert_eq!(breaker.at(second(2)), BreakerState::Open);
}

#[test]
fn refusals_for_overload_are_no_run_of_failures() {
    let mut breaker = Breaker::new(&policy());
    for _ in 0..19 {
        breaker.observe(&policy(), second(1), second(1), Signal::Overloaded);
    }
    assert_eq!(breaker.at(second(1)), BreakerState::Closed, "too few for the ratio");
    breaker.observe(&policy(), second(1), second(1), Signal::Overloaded);
    assert_eq!(breaker.at(second(1)), BreakerState::Open, "enough for the ratio");
}

#[test]
fn turns_half_open_by_the_clock() {
    let breaker = open();
    assert_eq!(breaker.at(second(5)), BreakerState::Open);
    assert_eq!(breaker.opens_in(second(5)), Duration::from_secs(1));
    assert_eq!(breaker.at(second(6)), BreakerState::HalfOpen);
}

#[test]
fn requests_picked_before_the_trial_decide_nothing() {
    let mut breaker = open();
    breaker.observe(&policy(), second(7), second(1), Signal::Good);
    assert_eq!(breaker.at(second(7)), BreakerState::HalfOpen);
    breaker.observe(&policy(), second(7), second(1), Signal::Bad);
    assert_eq!(breaker.at(second(7)), BreakerState::HalfOpen);
}

#[test]
fn a_good_trial_closes_and_starts_slowly() {
    let mut breaker = open();
    breaker.observe(&policy(), second(7), second(6), Signal::Good);
    assert_eq!(breaker.at(second(7)), BreakerState::Closed);
    assert_eq!(breaker.failure_ratio(second(7)), 0.0, "the failures before are forgiven");
    assert_eq!(breaker.slow_start(&policy(), second(7)), 0.1);
    assert_eq!(breaker.slow_start(&policy(), second(12)), 0.5);
    assert_eq!(breaker.slow_start(&policy(), second(17)), 1.0);
}

#[test]
fn each_bad_trial_doubles_the_ejection_up_to_its_longest() {
    let mut breaker = open();
    let mut now = 6;
    for ejection in [10, 20, 40, 60, 60] {
        breaker.observe(&policy(), second(now), second(now), Signal::Bad);
        assert_eq!(breaker.opens_in(second(now)), Duration::from_secs(ejection));
        now += ejection;
    }
}

#[test]
fn an_outcome_from_before_the_ejection_does_not_repeat_it() {
    let mut breaker = open();
    breaker.observe(&policy(), second(6), second(6), Signal::Good);
    for _ in 0..50 {
        breaker.observe(&policy(), second(7), second(5), Signal::Bad);
    }
    assert_eq!(breaker.at(second(7)), BreakerState::Closed);
    for _ in 0..5 {
        breaker.observe(&policy(), second(7), second(6), Signal::Bad);
    }
    assert_eq!(breaker.at(second(7)), BreakerState::Open, "later ones do");
}

#[test]
fn a_first_token_is_enough_for_a_trial() {
    let mut breaker = open();
    breaker.observe_first_token(&policy(), second(6), second(5));
    assert_eq!(breaker.at(second(6)), BreakerState::HalfOpen, "picked before it turned half-open");
    breaker.observe_first_token(&policy(), second(7), second(6));
    assert_eq!(breaker.at(second(7)), BreakerState::Closed);
}

#[test]
fn an_open_breaker_of_a_node_that_is_heard_again_may_be_tried_at_once() {
    let mut breaker = open();
    breaker.heard_again(second(2));
    assert_eq!(breaker.at(second(2)), BreakerState::HalfOpen);
    assert_eq!(breaker.opens_in(second(2)), Duration::ZERO);
    // Requests from before say nothing of it; the trial decides.
    breaker.observe(&policy(), second(2), second(1), Signal::Good);
    assert_eq!(breaker.at(second(2)), BreakerState::HalfOpen);
    breaker.observe(&policy(), second(3), second(2), Signal::Good);
    assert_eq!(breaker.at(second(3)), BreakerState::Closed);
}

#[test]
fn being_heard_again_ends_the_doubling() {
    let mut breaker = open();
    let reopen = |breaker: &mut Breaker, now: Instant| breaker.observe(&policy(), now, now, Signal::Bad);
    for n in 0..3 {
        reopen(&mut breaker, second(100 * (n + 1)));
    }
    assert!(breaker.opens_in(second(300)) > policy().open_for);
    breaker.heard_again(second(301));
    reopen(&mut breaker, second(302));
    assert_eq!(breaker.opens_in(second(302)), policy().open_for);
}

#[test]
fn being_heard_changes_nothing_of_a_breaker_that_is_not_open() {
    let mut closed = Breaker::new(&policy());
    closed.observe(&policy(), second(1), second(1), Signal::Bad);
    let before = closed;
    closed.heard_again(second(2));
    assert_eq!(closed, before);
    // One that is half-open stays so, since when it was: trials that are under way still count.
    let mut half_open = open();
    let since = second(1) + policy().open_for;
    half_open.heard_again(since + Duration::from_secs(3));
    half_open.observe(&policy(), since + Duration::from_secs(4), since, Signal::Good);
    assert_eq!(half_open.at(since + Duration::from_secs(4)), BreakerState::Closed);
}
