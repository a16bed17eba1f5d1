use proptest::{prelude::*, sample::Index};

use super::*;

fn at(millis: u64) -> Instant {
    Instant::after_start(Duration::from_millis(millis))
}

#[test]
fn a_pick_counts_at_once_and_until_its_first_token() {
    let ledger = Ledger::default();
    ledger.enter(1, 100.0, 100.0, at(0));
    ledger.enter(2, 50.0, 150.0, at(10));
    assert_eq!((ledger.outstanding().all, ledger.outstanding().unreported), (150.0, 150.0));
    let sample = ledger.strike(1, at(40)).expect("it is there");
    assert_eq!(sample, Sample { work: 100.0, picked: at(0) });
    assert_eq!((ledger.outstanding().all, ledger.outstanding().unreported), (50.0, 50.0));
}

#[test]
fn a_pick_is_struck_out_once() {
    let ledger = Ledger::default();
    ledger.enter(1, 100.0, 100.0, at(0));
    assert!(ledger.strike(1, at(10)).is_some());
    assert_eq!(ledger.strike(1, at(20)), None);
    assert_eq!(ledger.strike(7, at(20)), None);
    assert_eq!(ledger.outstanding().all, 0.0);
}

#[test]
fn a_report_takes_over_what_it_includes_and_no_more() {
    let ledger = Ledger::default();
    for pick in 1..=4 {
        ledger.enter(pick, 10.0, 10.0, at(pick));
    }
    ledger.include(Some(2), at(0));
    assert_eq!((ledger.outstanding().all, ledger.outstanding().unreported), (40.0, 20.0));
    // The same report again, and an older one.
    ledger.include(Some(2), at(0));
    ledger.include(Some(1), at(0));
    assert_eq!(ledger.outstanding().unreported, 20.0);
    // What it includes is struck out without being taken off twice.
    ledger.strike(1, at(9));
    assert_eq!((ledger.outstanding().all, ledger.outstanding().unreported), (30.0, 20.0));
    ledger.strike(3, at(9));
    assert_eq!((ledger.outstanding().all, ledger.outstanding().unreported), (20.0, 10.0));
}

#[test]
fn a_report_without_a_ticket_includes_what_had_come_when_it_was_taken() {
    let ledger = Ledger::default();
    ledger.enter(1, 10.0, 10.0, at(100));
    ledger.include(None, at(119));
    assert_eq!(ledger.outstanding().unreported, 10.0);
    ledger.include(None, at(120));
    assert_eq!(ledger.outstanding().unreported, 0.0);
}

#[test]
fn a_ticket_that_was_never_given_includes_nothing_that_is_to_come() {
    let ledger = Ledger::default();
    ledger.enter(1, 10.0, 10.0, at(0));
    ledger.include(Some(u64::MAX), at(0));
    ledger.enter(2, 10.0, 10.0, at(1));
    assert_eq!(ledger.outstanding().unreported, 10.0);
}

#[test]
fn the_foremost_begins_when_the_one_before_it_has_its_token() {
    let ledger = Ledger::default();
    let front = |ledger: &Ledger| (ledger.outstanding().front_since, ledger.outstanding().front);
    ledger.enter(1, 10.0, 10.0, at(0));
    ledger.enter(2, 20.0, 30.0, at(1));
    ledger.enter(3, 30.0, 60.0, at(2));
    assert_eq!(front(&ledger), (at(0), 10.0));
    ledger.strike(1, at(50));
    assert_eq!(front(&ledger), (at(50), 20.0));
    // One from the rest gives up: the foremost has done what it has done.
    ledger.strike(3, at(60));
    assert_eq!(front(&ledger), (at(50), 20.0));
    ledger.strike(2, at(70));
    assert_eq!(ledger.outstanding().front, 0.0);
    ledger.enter(4, 40.0, 40.0, at(90));
    assert_eq!(front(&ledger), (at(90), 40.0));
}

#[test]
fn absurd_work_is_bounded() {
    let ledger = Ledger::default();
    for (pick, work) in [f64::INFINITY, f64::NAN, -5.0, 1e300].into_iter().enumerate() {
        ledger.enter(pick as u64 + 1, work, work, at(0));
    }
    assert_eq!(ledger.outstanding().all, 2.0 * NodeLoad::MAX_WORK);
    for pick in 1..=4 {
        ledger.strike(pick, at(1));
    }
    assert_eq!(ledger.outstanding().all, 0.0);
}

#[derive(Debug, Clone)]
enum Act {
    Enter(u32),
    Strike(Index),
    Include(Option<u64>, u64),
    Pass(u64),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => (0_u32..10_000).prop_map(Act::Enter),
        3 => any::<Index>().prop_map(Act::Strike),
        1 => (0_u64..40, 0_u64..50).prop_map(|(ticket, age)| Act::Include(Some(ticket), age)),
        1 => Just(Act::Include(Some(u64::MAX), 0)),
        2 => (0_u64..50).prop_map(|age| Act::Include(None, age)),
        3 => (0_u64..30).prop_map(Act::Pass),
    ]
}

/// One pick of the model: its number, when, its work, and whether a report has included it.
type Pick = (u64, u64, u32, Known);

#[derive(Debug, Clone, Copy, PartialEq)]
enum Known {
    Not,
    Included,
}

proptest! {
    #[test]
    fn nothing_counts_twice_and_nothing_is_forgotten(acts in prop::collection::vec(act(), 1..200)) {
        let ledger = Ledger::default();
        let mut picks: Vec<Pick> = Vec::new();
        let (mut entered, mut now) = (0, 100);
        for act in acts {
            match act {
                Act::Enter(work) => {
                    entered += 1;
                    picks.push((entered, now, work, Known::Not));
                    ledger.enter(entered, f64::from(work), 0.0, at(now));
                }
                Act::Strike(index) if !picks.is_empty() => {
                    let (pick, ..) = picks.remove(index.index(picks.len()));
                    prop_assert!(ledger.strike(pick, at(now)).is_some());
                    prop_assert!(ledger.strike(pick, at(now)).is_none());
                }
                Act::Strike(_) => {}
                Act::Include(ticket, age) => {
                    for (pick, picked, _, known) in &mut picks {
                        let includes = ticket.map_or(*picked + 20 <= now - age, |ticket| *pick <= ticket);
                        if includes {
                            *known = Known::Included;
                        }
                    }
                    ledger.include(ticket, at(now - age));
                }
                Act::Pass(millis) => now += millis,
            }
            let sum = |picks: &mut dyn Iterator<Item = &Pick>| picks.map(|pick| f64::from(pick.2)).sum::<f64>();
            let outstanding = ledger.outstanding();
            prop_assert_eq!(outstanding.all, sum(&mut picks.iter()));
            let unreported = sum(&mut picks.iter().filter(|pick| pick.3 == Known::Not));
            prop_assert_eq!(outstanding.unreported, unreported);
            prop_assert_eq!(outstanding.front, picks.first().map_or(0.0, |pick| f64::from(pick.2)));
        }
        for (pick, ..) in picks {
            ledger.strike(pick, at(now));
        }
        prop_assert_eq!((ledger.outstanding().all, ledger.outstanding().unreported), (0.0, 0.0));
    }
}
