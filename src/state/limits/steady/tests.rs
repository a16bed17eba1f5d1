use super::*;

fn at(millis: u64) -> Instant {
    Instant::ZERO + Duration::from_millis(millis)
}

#[test]
fn time_goes_on() {
    let steady = Steady::default();
    assert_eq!([5, 5, 7].map(|millis| steady.advance(at(millis))), [5, 5, 7].map(at));
}

#[test]
fn a_caller_that_comes_late_is_told_the_latest_time() {
    let steady = Steady::default();
    steady.advance(at(5_000));
    assert_eq!(steady.advance(at(4_000)), at(5_000));
    assert_eq!(steady.read(at(4_999)), at(5_000));
}

#[test]
fn reading_moves_nothing() {
    let steady = Steady::default();
    assert_eq!(steady.read(at(9)), at(9));
    assert_eq!(steady.advance(at(5)), at(5));
}

#[test]
fn a_clock_set_far_back_is_believed() {
    let steady = Steady::default();
    steady.advance(Instant::NEVER);
    assert_eq!(steady.advance(at(5)), at(5));
    assert_eq!(steady.advance(at(4)), at(5), "and from then on time is steady again");
}
