use proptest::prelude::*;

use super::*;

fn at(ms: u64) -> Instant {
    Instant::from_nanos(ms * 1_000_000)
}

#[test]
fn a_pick_counts_until_its_first_token_and_only_once() {
    let ledger = Ledger::default();
    ledger.enter(1, 100.0, 100.0, at(0));
    ledger.enter(2, 50.0, 150.0, at(1));
    assert_eq!((ledger.outstanding().all, ledger.outstanding().unreported), (150.0, 150.0));
    assert_eq!(ledger.strike(1, at(9)), Some(Sample { work: 100.0, picked: at(0) }));
    assert_eq!(ledger.strike(1, at(9)), None, "it was struck out");
    let left = ledger.outstanding();
    assert_eq!((left.all, left.front, left.front_since), (50.0, 50.0, at(9)));
}

#[test]
fn a_report_includes_the_picks_that_had_come_when_it_was_taken() {
    let ledger = Ledger::default();
    for pick in 1..=4 {
        ledger.enter(pick, 10.0, 10.0, at(100 * pick));
    }
    ledger.include(Some(2), at(1000));
    assert_eq!(ledger.outstanding().unreported, 20.0, "3 and 4 had not come");
    ledger.include(None, at(310));
    assert_eq!(ledger.outstanding().unreported, 20.0, "3 was under way for 10 ms when it was taken");
    ledger.include(None, at(330));
    assert_eq!((ledger.outstanding().unreported, ledger.outstanding().all), (10.0, 40.0));
}

#[test]
fn a_ticket_from_nowhere_does_not_hide_later_picks() {
    let ledger = Ledger::default();
    ledger.enter(1, 10.0, 10.0, at(0));
    ledger.include(Some(u64::MAX), at(1));
    ledger.enter(2, 30.0, 30.0, at(2));
    assert_eq!(ledger.outstanding().unreported, 30.0);
}

#[derive(Debug, Clone)]
enum Step {
    Enter(u32),
    Strike(u64),
    Include(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        (0..5000_u32).prop_map(Step::Enter),
        (1..40_u64).prop_map(Step::Strike),
        (0..60_u64).prop_map(Step::Include),
    ];
    prop::collection::vec(step, 0..120)
}

proptest! {
    /// The sums are those of a list that is gone through each time.
    #[test]
    fn sums_agree_with_a_plain_list(steps in steps()) {
        let ledger = Ledger::default();
        let mut list: Vec<(u64, u64)> = Vec::new();
        let (mut picks, mut included) = (0, 0);
        for (moment, step) in steps.into_iter().enumerate() {
            match step {
                Step::Enter(work) => {
                    picks += 1;
                    ledger.enter(picks, work.into(), 0.0, at(moment as u64));
                    list.push((picks, work.into()));
                }
                Step::Strike(pick) => {
                    let known = list.iter().any(|(known, _)| *known == pick);
                    prop_assert_eq!(ledger.strike(pick, at(moment as u64)).is_some(), known);
                    list.retain(|(known, _)| *known != pick);
                }
                Step::Include(ticket) => {
                    ledger.include(Some(ticket), at(moment as u64));
                    included = included.max(ticket.min(picks));
                }
            }
            let all: u64 = list.iter().map(|(_, work)| work).sum();
            let unreported: u64 = list.iter().filter(|(pick, _)| *pick > included).map(|(_, work)| work).sum();
            let told = ledger.outstanding();
            prop_assert_eq!((told.all, told.unreported), (all as f64, unreported as f64));
        }
    }
}
