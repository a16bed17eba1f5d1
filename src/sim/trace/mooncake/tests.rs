use std::time::Duration;

use crate::sim::trace::{Arrival, Trace};

const LINE: &str =
    r#"{"timestamp": 27482, "input_length": 1500, "output_length": 52, "hash_ids": [46, 47, 2353]}"#;

fn told(second: &str) -> String {
    let text = format!("{LINE}\n{second}\n");
    Trace::parse("conv", text.as_bytes()).expect_err("it is wrong").to_string()
}

#[test]
fn requests_are_read_and_sorted() {
    let earlier = LINE.replace("27482", "12.5").replace("46, 47, 2353", "46").replace("52", "0");
    let trace = Trace::parse("conv", format!("{LINE}\n{earlier}\n").as_bytes()).expect("it is right");
    assert_eq!((trace.block_tokens, trace.rows.len()), (512, 2));
    let [first, second] = &trace.rows[..] else { panic!("two rows") };
    assert_eq!(first.arrival, Arrival::At(Duration::from_micros(12_500)));
    assert_eq!((first.session, first.output, trace.blocks(first)), (1, 0, &[46][..]));
    assert_eq!(second.arrival, Arrival::At(Duration::from_millis(27_482)));
    assert_eq!((second.tenant, second.session, second.turn), (0, 0, 0));
    assert_eq!((second.input, second.output, trace.blocks(second)), (1500, 52, &[46, 47, 2353][..]));
}

#[test]
fn what_is_wrong_is_told_with_line_and_field() {
    let cases = [
        (LINE.replace("1500", "0"), "`input_length`: read `0`, expected a whole number from 1 to 100000000"),
        (
            LINE.replace("52,", "5000000000,"),
            "`output_length`: read `5000000000`, expected a whole number from 0",
        ),
        (LINE.replace("27482", "-3"), "`timestamp`: read `-3`, expected milliseconds from 0 to 10000000000"),
        (LINE.replace("2353", "-1"), "`hash_ids[2]`: read `"),
        (
            LINE.replace("46,", "1, 46,"),
            "`hash_ids`: read `4 blocks or more`, expected at most 3: 1500 tokens",
        ),
        (LINE.replace("input", "prompt"), "`object`: read `"),
        (LINE.replace('}', ""), "read `"),
        (format!("{LINE}{LINE}"), "`object`: read `"),
        ("[]".to_owned(), "read `[]`, expected a request: "),
    ];
    for (line, expected) in cases {
        let told = told(&line);
        assert!(told.starts_with("trace `conv`, line 2, ") && told.contains(expected), "{line}: {told}");
    }
    let missing = told(&LINE.replace("input", "prompt"));
    assert!(missing.contains("missing field `input_length` at byte"), "{missing}");
}

#[test]
fn the_first_line_is_checked_too() {
    let told = Trace::parse("conv", &b"{}\n"[..]).expect_err("it is wrong").to_string();
    assert!(told.starts_with("trace `conv`, line 1, `object`: read `{}`"), "{told}");
}
