use super::*;

fn terms(age_max: Duration) -> Terms {
    Terms::new(&ServerConfig { connection_age_max: age_max, ..ServerConfig::default() })
}

#[test]
fn connections_of_one_moment_leave_within_a_tenth_of_their_age() {
    let terms = terms(Duration::from_secs(100));
    let ages = [0.0, 0.5, 1.0].map(|chance| terms.age(chance));
    assert_eq!(ages, [100, 105, 110].map(|seconds| Some(Duration::from_secs(seconds))));
}

#[test]
fn without_an_age_connections_stay() {
    assert_eq!(terms(Duration::ZERO).age(1.0), None);
}
