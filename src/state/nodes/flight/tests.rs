use std::{thread, time::Duration};

use super::*;

fn unseen(flight: &Flight) -> u32 {
    flight.counts().unseen
}

#[test]
fn a_report_covers_the_picks_before_it() {
    let flight = Flight::default();
    let before = flight.charge(1, None);
    flight.seen();
    let after = flight.charge(2, None);
    assert_eq!((flight.counts().in_flight, unseen(&flight)), (2, 1));
    flight.release(&before);
    assert_eq!((flight.counts().in_flight, unseen(&flight)), (1, 1), "the report had covered it");
    flight.release(&after);
    assert_eq!(flight.counts(), FlightCounts { last_pick: 2, ..FlightCounts::default() });
}

#[test]
fn concurrent_picks_reports_and_releases_leave_nothing_behind() {
    let flight = Flight::default();
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for pick in 0..20_000 {
                    let now = Instant::after_start(Duration::from_nanos(pick));
                    let trial = flight.try_out(now, now + Duration::from_nanos(20)).ok();
                    let charge = flight.charge(pick, trial);
                    if pick % 100 == 0 {
                        flight.seen();
                    }
                    flight.release(&charge);
                }
            });
        }
    });
    assert_eq!(flight.counts(), FlightCounts { last_pick: 19_999, ..FlightCounts::default() });
}

#[test]
fn of_picks_that_come_together_one_tries_the_node() {
    let flight = Flight::default();
    let until = Instant::after_start(Duration::from_secs(5));
    let taken = AtomicU32::new(0);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                if flight.try_out(Instant::ZERO, until).is_ok() {
                    taken.fetch_add(1, Relaxed);
                }
            });
        }
    });
    assert_eq!(taken.into_inner(), 1);
}

#[test]
fn a_trial_lapses_and_its_late_end_does_not_free_the_next_one() {
    let flight = Flight::default();
    let [start, middle, end] = [0, 5, 10].map(|seconds| Instant::after_start(Duration::from_secs(seconds)));
    let first = flight.charge(1, flight.try_out(start, middle).ok());
    assert_eq!(flight.try_out(start, middle), Err(TrialTaken));
    assert!(flight.is_tried(start) && !flight.is_tried(middle));
    let second = flight.charge(2, flight.try_out(middle, end).ok());
    flight.release(&first);
    assert!(flight.is_tried(middle), "the second trial goes on");
    flight.release(&second);
    assert!(!flight.is_tried(middle));
}
