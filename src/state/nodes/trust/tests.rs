use super::*;

fn milli(n: u64) -> Instant {
    Instant::after_start(Duration::from_millis(n))
}

fn policy() -> FreshnessPolicy {
    FreshnessPolicy::default()
}

fn registered() -> Trust {
    Trust::registered(&policy(), milli(1000))
}

#[test]
fn silence_ends_it_within_two_seconds() {
    let mut trust = registered();
    trust.reported(&policy(), milli(2000));
    assert_eq!(trust.at(milli(3499)), Presence::Present);
    assert_eq!(trust.at(milli(3500)), Presence::Silent);
}

#[test]
fn the_end_of_the_stream_ends_it_within_250_ms() {
    let mut trust = registered();
    trust.closed(&policy(), milli(1100));
    assert_eq!(trust.at(milli(1299)), Presence::Unreported);
    assert_eq!(trust.at(milli(1300)), Presence::Silent);
}

#[test]
fn a_failure_after_the_end_of_the_stream_ends_it_at_once() {
    let mut trust = registered();
    trust.closed(&policy(), milli(1100));
    trust.failed(milli(1101));
    assert_eq!(trust.at(milli(1101)), Presence::Gone);
}

#[test]
fn a_failure_while_the_agent_reports_is_left_to_the_breaker() {
    let mut trust = registered();
    trust.failed(milli(1101));
    assert_eq!(trust.at(milli(1101)), Presence::Present);
}

#[test]
fn good_outcomes_keep_a_node_whose_agent_died() {
    let mut trust = registered();
    trust.closed(&policy(), milli(1100));
    trust.went_well(&policy(), milli(1150), milli(1120));
    for second in 1..100 {
        let now = milli(1150 + second * 1000);
        assert_eq!(trust.at(now), Presence::Unreported);
        trust.went_well(&policy(), now, now);
    }
}

#[test]
fn an_answer_on_its_way_when_the_node_died_is_no_sign_of_life() {
    let mut trust = registered();
    trust.closed(&policy(), milli(1100));
    trust.went_well(&policy(), milli(1101), milli(1050));
    assert_eq!(trust.at(milli(1300)), Presence::Silent);
}

#[test]
fn a_long_request_that_ends_well_later_is_a_sign_of_life() {
    let mut trust = registered();
    trust.closed(&policy(), milli(1100));
    assert_eq!(trust.at(milli(1900)), Presence::Silent);
    trust.went_well(&policy(), milli(2000), milli(1050));
    assert_eq!(trust.at(milli(2000)), Presence::Unreported);
}

#[test]
fn good_outcomes_bridge_a_silent_agent() {
    let mut trust = registered();
    trust.went_well(&policy(), milli(2400), milli(2300));
    assert_eq!(trust.at(milli(3000)), Presence::Present);
}

#[test]
fn a_node_without_an_agent_is_always_there() {
    let mut trust = Trust::UNATTENDED;
    trust.closed(&policy(), milli(1));
    trust.failed(milli(2));
    assert_eq!(trust.at(milli(1_000_000)), Presence::Present);
}

#[test]
fn a_node_that_was_vouched_for_is_left_to_its_breaker() {
    let mut trust = registered();
    trust.closed(&policy(), milli(1100));
    trust.went_well(&policy(), milli(1150), milli(1120));
    trust.failed(milli(1160));
    assert_eq!(trust.at(milli(1160)), Presence::Unreported);
}

#[test]
fn a_condemned_node_that_answers_after_all_is_trusted_again() {
    let mut trust = registered();
    trust.closed(&policy(), milli(1100));
    trust.failed(milli(1101));
    trust.went_well(&policy(), milli(1200), milli(1110));
    assert_eq!(trust.at(milli(1200)), Presence::Unreported);
}
