use std::thread;

use super::*;

fn unseen(flight: &Flight) -> u32 {
    flight.counts().unseen
}

#[test]
fn a_report_covers_the_picks_before_it() {
    let flight = Flight::default();
    let before = flight.charge(1, Trial::No);
    flight.seen();
    let after = flight.charge(2, Trial::No);
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
                    let trial = if pick % 7 == 0 { Trial::Yes } else { Trial::No };
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
