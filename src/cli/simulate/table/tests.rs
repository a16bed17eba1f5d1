use super::*;
use crate::cli::simulate::fixture;

#[test]
fn the_table_is_as_in_the_golden_file() {
    let table = table(&fixture::report());
    assert_eq!(table, include_str!("golden.txt").trim_end(), "if it is meant:\n{table}");
}

#[test]
fn a_hundred_columns_are_enough() {
    let mut report = fixture::report();
    let run = &mut report.runs[0];
    run.policy = "a_policy_with_a_name_much_longer_than_any_of_ours".to_owned();
    run.preemptions = 123_456_789;
    (run.mean_ms, run.p50_ms, run.p90_ms, run.p99_ms) = (119_000.0, 118_000.0, 117_000.0, 116_000.0);
    (run.refused_ratio, run.slowdown_p99, run.token_p99_ms) = (1.0, 12_345.6, 99_900.0);
    for line in table(&report).lines() {
        assert!(line.chars().count() <= 100, "{} columns: {line}", line.chars().count());
    }
}

#[test]
fn a_policy_that_answered_nothing_is_not_the_fastest() {
    let mut report = fixture::report();
    report.runs[0].first_tokens.clear();
    report.runs[0].mean_ms = 0.0;
    let table = table(&report);
    let row = table.lines().find(|line| line.starts_with("round_robin")).expect("its row");
    assert!(row.contains(" - ") && !row.contains('*'), "{row}");
}

#[test]
fn alone_nothing_is_best() {
    let mut report = fixture::report();
    report.runs.truncate(1);
    assert!(!table(&report).contains('*'));
    report.runs.clear();
    assert!(table(&report).contains("on 4 nodes"), "even of no run something is told");
}
