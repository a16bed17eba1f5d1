use std::time::Duration;

use super::COLUMNS;
use crate::sim::trace::{Arrival, Trace, TraceError};

fn parse(rows: &str) -> Result<Trace, TraceError> {
    Trace::parse("code", format!("{COLUMNS}\r\n{rows}\n").as_bytes())
}

fn arrivals(rows: &str) -> Vec<Duration> {
    let trace = parse(rows).expect("it is right");
    let at = trace.rows.iter().map(|row| match row.arrival {
        Arrival::At(at) => at,
        Arrival::After { .. } => panic!("all come at a time of their own"),
    });
    at.collect()
}

#[test]
fn the_traces_of_2023_are_read() {
    let trace =
        parse("2023-11-16 18:15:46.6805900,374,44\r\n2023-11-16 18:15:50.9951690,396,109").expect("right");
    let [first, second] = &trace.rows[..] else { panic!("two rows") };
    assert_eq!(first.arrival, Arrival::At(Duration::ZERO));
    assert_eq!((first.input, first.output, trace.blocks(first)), (374, 44, &[][..]));
    assert_eq!(second.arrival, Arrival::At(Duration::from_micros(4_314_579)));
    assert_eq!((second.session, second.input, second.output), (1, 396, 109));
}

#[test]
fn the_traces_of_2024_are_read() {
    let rows = "2024-02-28 23:59:59.5+00:00,1,0\n2024-02-29 00:00:00+00:00,1,0\n2024-03-01 00:00:00,1,0";
    let expected = [0, 500, 86_400_500].map(Duration::from_millis);
    assert_eq!(arrivals(rows), expected);
}

#[test]
fn rows_out_of_order_are_sorted_and_the_first_is_the_start() {
    let rows = "2024-02-28 00:00:02,1,0\n2024-02-28 00:00:01,1,0\n2024-02-28 00:00:04,1,0";
    assert_eq!(arrivals(rows), [0, 1, 3].map(Duration::from_secs));
}

#[test]
fn what_is_wrong_is_told_with_line_and_column() {
    let good = "2023-11-16 18:15:46.6805900,374,44";
    let cases = [
        ("2023-11-16 18:15:46.6805900,0,44", "`ContextTokens`: read `0`, expected a whole number from 1"),
        ("2023-11-16 18:15:46.6805900,374,-1", "`GeneratedTokens`: read `-1`"),
        ("2023-11-16 18:15:46.6805900,374", "`columns`: read `2023-11-16 18:15:46.6805900,374`"),
        ("2023-11-16 18:15:46.6805900,374,44,9", "`columns`: read"),
        (
            "2023-13-16 18:15:46.6805900,374,44",
            "`TIMESTAMP`: read `2023-13-16 18:15:46.6805900`, expected a time",
        ),
        ("2023-11-16 18:15:46+05:00,374,44", "`TIMESTAMP`: read"),
        ("2023-11-16 18:15:46.5+05:00,374,44", "`TIMESTAMP`: read"),
        ("2022-11-16 18:15:46,374,44", "expected a time within 57 days of the first row"),
        ("46,374,44", "`TIMESTAMP`: read `46`"),
        ("2023-11-16 18:15:4é,374,44", "`TIMESTAMP`: read"),
    ];
    for (row, expected) in cases {
        let told = parse(&format!("{good}\n{row}")).expect_err("it is wrong").to_string();
        assert!(told.starts_with("trace `code`, line 3, ") && told.contains(expected), "{row}: {told}");
    }
}
