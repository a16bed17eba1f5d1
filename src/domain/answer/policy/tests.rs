use super::*;
use crate::domain::answer::AnswerBody;

fn lifetime(policy: &AnswerPolicy, volatility: Volatility, ttl: Option<Duration>) -> Lifetime {
    let answer = NewAnswer { body: AnswerBody::Reference("r".into()), volatility, ttl };
    policy.lifetime(RequestType::Text, &answer, Instant::ZERO, &mut Chance::with_seed(1))
}

fn exact() -> AnswerPolicy {
    AnswerPolicy { jitter: Ratio::ZERO, ..AnswerPolicy::default() }
}

fn after(duration: Duration) -> Instant {
    Instant::after_start(duration)
}

#[test]
fn each_volatility_has_its_time() {
    let policy = exact();
    let fresh = |volatility| lifetime(&policy, volatility, None).fresh_until;
    assert_eq!(fresh(Volatility::Usual), after(policy.usual.text));
    assert_eq!(fresh(Volatility::Fact), after(policy.fact));
    assert_eq!(fresh(Volatility::Live), after(policy.live));
}

#[test]
fn a_time_that_is_asked_for_stands_up_to_the_longest() {
    let policy = exact();
    let fresh = |secs| lifetime(&policy, Volatility::Fact, Some(Duration::from_secs(secs))).fresh_until;
    assert_eq!(fresh(0), Instant::ZERO);
    assert_eq!(fresh(5), after(Duration::from_secs(5)));
    assert_eq!(fresh(u64::MAX), after(policy.ttl_max));
}

#[test]
fn an_answer_of_the_moment_is_never_stale() {
    let policy = exact();
    let usual = lifetime(&policy, Volatility::Usual, None);
    assert_eq!(usual.stale_until, usual.fresh_until + policy.stale_for);
    let live = lifetime(&policy, Volatility::Live, Some(Duration::from_secs(5)));
    assert_eq!(live.stale_until, live.fresh_until);
}

#[test]
fn ten_thousand_stored_at_once_expire_over_the_whole_window() {
    let policy = AnswerPolicy::default();
    let answer =
        NewAnswer { body: AnswerBody::Reference("r".into()), volatility: Volatility::Usual, ttl: None };
    let mut chance = Chance::with_seed(7);
    let mut seconds = [0_u32; 120];
    let earliest = policy.usual.text.mul_f64(0.9).as_secs_f64();
    for _ in 0..10_000 {
        let until = policy.lifetime(RequestType::Text, &answer, Instant::ZERO, &mut chance).fresh_until;
        let late = until.since(Instant::ZERO).as_secs_f64() - earliest;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place in the window")]
        let second = late.floor() as usize;
        seconds[second] += 1;
    }
    // 83 a second in the mean; uniform chance leaves no second empty and gives none the double.
    assert!(seconds.iter().all(|expired| (40..=140).contains(expired)), "{seconds:?}");
}

#[test]
fn each_type_has_its_usual_time() {
    let usual = UsualTtl::default();
    let shortest = RequestType::NAMES.map(|(kind, _)| usual.of(kind)).into_iter().min();
    assert_eq!(shortest, Some(usual.of(RequestType::Text)));
}
