//! Does exactly one of those who ask the same go to a node?

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use super::*;

fn request(name: &str) -> RequestKey {
    RequestKey { tenant: tenant("a"), request: RequestId::parse(name).expect("a good name") }
}

fn claim(answers: &Answers, name: &str, until: u64, now: u64) -> Claim {
    answers.claim(&answers.question(&question("q")), &request(name), at(until), &policy(), at(now))
}

fn lead(answers: &Answers, name: &str, until: u64, now: u64) -> Leadership {
    match claim(answers, name, until, now) {
        Claim::Leads(leadership) => leadership,
        other => panic!("{name} should lead: {other:?}"),
    }
}

/// Who leads, as others see it.
fn leader(answers: &Answers, now: Instant) -> Option<String> {
    answers.pending(&answers.question(&question("q")), now).map(|leader| leader.request.request.to_string())
}

fn settle(answers: &Answers, leadership: Leadership, result: OutcomeResult, now: u64) {
    answers.settle(leadership, result, &policy(), at(now));
}

#[test]
fn the_first_leads_and_the_others_follow_until_its_lease_ends() {
    let answers = answers();
    lead(&answers, "first", 10, 0);
    let follows = Claim::Follows(Leader { request: request("first"), until: at(10) });
    assert_eq!(claim(&answers, "second", 20, 9), follows);
    assert_eq!(leader(&answers, at(9)).as_deref(), Some("first"));
    assert_eq!(leader(&answers, at(10)), None);
    lead(&answers, "second", 20, 10);
}

#[test]
fn questions_have_each_its_own_leader() {
    let answers = answers();
    lead(&answers, "first", 10, 0);
    let other =
        answers.claim(&answers.question(&question("other")), &request("second"), at(10), &policy(), at(0));
    assert!(matches!(other, Claim::Leads(_)));
    assert_eq!(answers.stats().leaders, 2);
}

#[test]
fn a_failure_ends_it_at_once() {
    use OutcomeResult::{Cancelled, Failed, Overloaded, Timeout};
    for result in [Failed, Timeout, Overloaded, Cancelled] {
        let answers = answers();
        let leadership = lead(&answers, "first", 10, 0);
        settle(&answers, leadership, result, 1);
        assert_eq!(leader(&answers, at(1)), None, "{result:?}");
        assert_eq!(answers.stats().leaders, 0);
        lead(&answers, "second", 10, 1);
    }
}

#[test]
fn after_a_good_outcome_the_others_wait_a_little_for_the_answer() {
    let answers = answers();
    let leadership = lead(&answers, "first", 60, 0);
    settle(&answers, leadership, OutcomeResult::Ok, 5);
    assert_eq!(leader(&answers, at(6)).as_deref(), Some("first"));
    assert_eq!(leader(&answers, at(7)), None);
}

#[test]
fn a_lease_that_is_renewed_leads_on() {
    let answers = answers();
    let leadership = lead(&answers, "first", 10, 0);
    settle(&answers, leadership, OutcomeResult::Running, 9);
    answers.renew(leadership, at(19));
    assert_eq!(leader(&answers, at(18)).as_deref(), Some("first"));
    assert_eq!(leader(&answers, at(19)), None);
}

#[test]
fn a_late_word_of_an_earlier_leader_changes_nothing() {
    for result in [OutcomeResult::Failed, OutcomeResult::Ok] {
        let answers = answers();
        let earlier = lead(&answers, "first", 10, 0);
        lead(&answers, "second", 30, 10);
        settle(&answers, earlier, result, 11);
        answers.renew(earlier, at(12));
        assert_eq!(leader(&answers, at(29)).as_deref(), Some("second"));
    }
}

#[test]
fn another_attempt_of_the_leader_leads_on_and_voids_the_earlier() {
    let answers = answers();
    let earlier = lead(&answers, "first", 10, 0);
    let later = lead(&answers, "first", 15, 5);
    settle(&answers, earlier, OutcomeResult::Failed, 6);
    assert_eq!(leader(&answers, at(14)).as_deref(), Some("first"));
    settle(&answers, later, OutcomeResult::Failed, 7);
    assert_eq!(leader(&answers, at(7)), None);
    assert_eq!(answers.stats().leaders, 0);
}

#[test]
fn a_store_ends_it_and_so_does_a_refused_one() {
    let answers = answers();
    lead(&answers, "first", 10, 0);
    store(&answers, &question("q"), &reference("r"), at(1));
    assert_eq!(leader(&answers, at(1)), None);
    let again = self::answers();
    lead(&again, "first", 10, 0);
    let strict = AnswerPolicy { reference_bytes_max: 0, ..policy() };
    let refused = again.store(&question("q"), &reference("r"), &strict, at(1), &mut Chance::with_seed(1));
    assert!(refused.is_err());
    assert_eq!(leader(&again, at(1)), None);
}

#[test]
fn who_claims_after_the_store_gets_the_answer_while_it_is_fresh() {
    let answers = answers();
    store(&answers, &question("q"), &reference("r"), at(0));
    let Claim::Answered(answer) = claim(&answers, "late", 60, 9) else { panic!("it is fresh") };
    assert_eq!(answer.body, reference("r").body);
    assert_eq!(answers.stats().leaders, 0);
    lead(&answers, "late", 60, 10);
}

#[test]
fn beyond_the_bound_nobody_leads_and_a_sweep_makes_room() {
    let answers = answers();
    let policy = AnswerPolicy { leaders_max: 2, ..policy() };
    let claim = |prompt: &str, now| {
        answers.claim(&answers.question(&question(prompt)), &request(prompt), at(now + 10), &policy, at(now))
    };
    assert!(matches!(claim("1", 0), Claim::Leads(_)));
    assert!(matches!(claim("2", 5), Claim::Leads(_)));
    assert_eq!(claim("3", 5), Claim::Alone);
    assert_eq!(answers.pending(&answers.question(&question("3")), at(5)), None);
    answers.sweep(at(10));
    assert_eq!(answers.stats().leaders, 1);
    assert!(matches!(claim("3", 10), Claim::Leads(_)));
}

#[test]
fn of_many_threads_exactly_one_leads_each_question() {
    let answers = answers();
    let leads: Vec<AtomicUsize> = (0..500).map(|_| AtomicUsize::new(0)).collect();
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let (answers, leads) = (&answers, &leads);
            scope.spawn(move || {
                let request = request(&format!("r{thread}"));
                for (i, led) in leads.iter().enumerate() {
                    let key = question(&i.to_string());
                    if let Claim::Leads(_) =
                        answers.claim(&answers.question(&key), &request, at(10), &policy(), at(0))
                    {
                        led.fetch_add(1, Relaxed);
                    }
                }
            });
        }
    });
    assert!(leads.iter().all(|led| led.load(Relaxed) == 1));
    assert_eq!(answers.stats().leaders, 500);
}

/// Each thread claims until there is an answer, so that claims fall into every step of the leader's store. Whoever comes
/// when that is over must find the answer.
#[test]
fn a_question_goes_to_a_node_once_however_threads_meet() {
    let answers = answers();
    let routed = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for thread in 0..3 {
            let (answers, routed) = (&answers, &routed);
            scope.spawn(move || {
                let request = request(&format!("r{thread}"));
                for i in 0..3_000 {
                    let key = question(&i.to_string());
                    while !is_answered(answers, &key, &request, routed) {
                        std::thread::yield_now();
                    }
                }
            });
        }
    });
    assert_eq!(routed.load(Relaxed), 3_000);
    assert_eq!(answers.stats().leaders, 0);
}

fn is_answered(answers: &Answers, key: &AnswerKey, request: &RequestKey, routed: &AtomicUsize) -> bool {
    match answers.claim(&answers.question(key), request, at(10), &policy(), at(1)) {
        Claim::Leads(_) => {
            routed.fetch_add(1, Relaxed);
            store(answers, key, &reference("r"), at(1));
            true
        }
        Claim::Answered(_) => true,
        Claim::Follows(_) => false,
        Claim::Alone => panic!("there is room"),
    }
}
