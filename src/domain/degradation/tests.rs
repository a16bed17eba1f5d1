use super::*;

#[test]
fn a_rung_is_entered_at_one_load_and_left_at_a_lower_one() {
    use Rung::{Busy as B, Normal as N, Overloaded as O};
    let loads = [79.9, 80.0, 75.0, 70.0, 69.9, 75.0, 80.0, 95.0, 90.0, 85.0, 84.9, 70.0, 99.0, 10.0];
    let mut rung = Rung::Normal;
    let rungs = loads.map(|load| {
        rung = Thresholds::default().rung(rung, load, load);
        rung
    });
    assert_eq!(rungs, [N, B, B, B, N, N, B, O, O, O, B, B, O, N]);
}

#[test]
fn the_first_rule_that_matches_counts() {
    let model = |name: &str| ModelName::parse(name).expect("a good name");
    let rule = |request_type, model, enter| PoolRule {
        request_type,
        model,
        thresholds: Thresholds { busy: Threshold { enter, leave: 1.0 }, ..Thresholds::default() },
        ..PoolRule::default()
    };
    let pools = vec![
        rule(Some(RequestType::Image), None, 10.0),
        rule(None, Some(model("m")), 20.0),
        rule(None, None, 30.0),
    ];
    let policy = DegradationPolicy { pools, ..DegradationPolicy::default() };
    let enter = |kind, name| policy.thresholds_for(kind, &model(name)).busy.enter;
    assert_eq!(enter(RequestType::Image, "m"), 10.0);
    assert_eq!(enter(RequestType::Text, "m"), 20.0);
    assert_eq!(enter(RequestType::Text, "n"), 30.0);
    assert_eq!(DegradationPolicy::default().thresholds_for(RequestType::Text, &model("m")).busy.enter, 80.0);
}

#[test]
fn a_pool_that_is_well_only_because_it_turns_requests_away_stays_where_it_is() {
    let thresholds = Thresholds::default();
    assert_eq!(thresholds.rung(Rung::Busy, 50.0, 75.0), Rung::Busy);
    assert_eq!(thresholds.rung(Rung::Busy, 50.0, 69.0), Rung::Normal);
    assert_eq!(
        thresholds.rung(Rung::Normal, 50.0, 99.0),
        Rung::Normal,
        "a rung is entered by the load alone"
    );
}
