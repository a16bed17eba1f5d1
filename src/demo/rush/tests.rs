use super::*;

fn visit(kind: Kind, at: u64, number: u32) -> Visit {
    Visit { at: Duration::from_secs(at), kind, number, question: number }
}

fn visited(visit: Visit, end: End) -> Visited {
    Visited { visit, end, served_when_told: None }
}

#[test]
fn the_same_seed_makes_the_same_rush_and_a_third_of_it_repeats() {
    let visits = hour::visits(1);
    assert_eq!(visits, hour::visits(1));
    assert_ne!(visits, hour::visits(2));
    assert!(visits.is_sorted_by_key(|visit| visit.at));
    let popular = visits.iter().filter(|visit| visit.question < 5).count();
    assert!((visits.len() / 4..visits.len() / 2).contains(&popular), "{popular} of {}", visits.len());
    assert_eq!(visits.iter().filter(|visit| visit.comes_back()).count(), 1);
}

#[test]
fn each_end_is_counted_where_it_belongs() {
    let ms = Duration::from_millis;
    let side = side(&[
        visited(visit(Kind::Premium, 0, 30), End::Answered(ms(50))),
        visited(visit(Kind::Premium, 4, 31), End::Answered(ms(70))),
        visited(visit(Kind::Premium, 5, 32), End::Lost),
        visited(visit(Kind::Normal, 1, 33), End::Known),
        visited(visit(Kind::Low, 4, 34), End::Busy),
        visited(visit(Kind::Greedy, 1, 3), End::OverLimit(ms(400))),
        Visited {
            served_when_told: Some(true),
            ..visited(visit(Kind::Greedy, 1, 19), End::OverLimit(ms(400)))
        },
    ]);
    let at = |ms| Some(Percentiles { p50_ms: ms, p99_ms: ms });
    assert_eq!((side.requests, side.known, side.computed), (7, 1, 2));
    assert_eq!((side.limited, side.turned_away, side.premium_unanswered), (2, 1, 1));
    assert_eq!(
        (side.premium_calm, side.premium_peak, side.served_when_told),
        (at(50.0), at(70.0), Some(true))
    );
}
