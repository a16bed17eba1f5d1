use std::{fmt::Write as _, io::Write as _};

use flate2::{Compression, write::GzEncoder};
use proptest::prelude::*;

use super::*;
use crate::sim::trace::draft::Entry;

const HEAD: &str =
    "#lrt1 block=512 arrivals=closed\n#t_ms\ttenant\tsession\tturn\tthink_ms\tin\tout\tblocks\n";

fn parse(rows: &str) -> Result<Trace, TraceError> {
    Trace::parse("conv", format!("{HEAD}{rows}").as_bytes())
}

fn refusal(rows: &str) -> String {
    parse(rows).expect_err("it is wrong").to_string()
}

fn at(millis: u64) -> Arrival {
    Arrival::At(Duration::from_millis(millis))
}

/// Where the traces are that are not ours to ship: `POINTSMAN_TRACES`, or beside the project.
fn shared(file: &str) -> Option<Trace> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/traces");
    let folder = std::env::var_os("POINTSMAN_TRACES").map_or_else(beside, Into::into);
    let path = folder.join(file);
    if !path.exists() {
        println!("skipped: there is no `{}`; name its folder in POINTSMAN_TRACES", path.display());
        return None;
    }
    Some(Trace::read(&path).expect("it is a trace"))
}

#[test]
fn our_format_is_read() {
    let trace = parse("5\t1\t2\t0\t0\t1300\t40\t0,14-15\n-1\t1\t2\t1\t2500\t9\t0\t\n").expect("it is right");
    assert_eq!((trace.name.as_str(), trace.block_tokens, trace.rows.len()), ("conv", 512, 2));
    let [first, second] = &trace.rows[..] else { panic!("two rows") };
    assert_eq!(first.arrival, at(5));
    assert_eq!((first.tenant, first.session, first.turn), (1, 2, 0));
    assert_eq!((first.input, first.output, trace.blocks(first)), (1300, 40, &[0, 14, 15][..]));
    assert_eq!(second.arrival, Arrival::After { think: Duration::from_millis(2500) });
    assert_eq!((second.turn, second.input, second.output), (1, 9, 0));
    assert!(trace.blocks(second).is_empty());
    assert_eq!(trace.duration(), Duration::from_millis(5));
    assert_eq!(trace.followers(), [Some(1), None]);
}

#[test]
fn gzip_is_seen_by_its_content() {
    let text = format!("{HEAD}1.5\t0\t0\t0\t0\t10\t1\t0\n");
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(text.as_bytes()).expect("memory takes it");
    let packed = packed.finish().expect("memory takes it");
    let trace = Trace::parse("conv", packed.as_slice()).expect("it is right");
    assert_eq!(trace, Trace::parse("conv", text.as_bytes()).expect("it is right"));
    assert_eq!(trace.rows[0].arrival, Arrival::At(Duration::from_micros(1500)));
    let cut = Trace::parse("conv", &packed[..packed.len() - 9]).expect_err("it is cut off");
    assert!(cut.to_string().contains("cannot read the trace `conv` beyond line"), "{cut}");
}

#[test]
fn windows_line_ends_and_empty_lines_do_no_harm() {
    let text = format!("\u{feff}{HEAD}\n1\t0\t0\t0\t0\t10\t1\t0\n\n").replace('\n', "\r\n");
    assert_eq!(Trace::parse("conv", text.as_bytes()).expect("it is right").rows.len(), 1);
}

#[test]
fn what_is_wrong_is_told_with_line_and_column() {
    let good = "1\t0\t0\t0\t0\t10\t1\t0\n";
    let after = |row: &str| refusal(&format!("{good}{row}\n"));
    assert_eq!(
        after("2\t0\t0\t0\t0\t0\t1\t0"),
        "trace `conv`, line 4, `in`: read `0`, expected a whole number from 1 to 100000000"
    );
    assert_eq!(
        after("x\t0\t0\t0\t0\t10\t1\t0"),
        "trace `conv`, line 4, `t_ms`: read `x`, expected milliseconds from 0 to 10000000000, \
         or -1 for a turn that follows"
    );
    assert_eq!(
        after("2\t0\t0\t0\t0\t10\t1"),
        "trace `conv`, line 4, `columns`: read `2\\t0\\t0\\t0\\t0\\t10\\t1`, expected 8 columns between tabs, not 7"
    );
    assert_eq!(
        after("2\t0\t0\t0\t0\t10\t1\t4-3"),
        "trace `conv`, line 4, `blocks`: read `4-3`, expected block numbers such as `0,14-27`"
    );
    for (row, column) in [
        ("NaN\t0\t0\t0\t0\t10\t1\t0", "t_ms"),
        ("-2\t0\t0\t0\t0\t10\t1\t0", "t_ms"),
        ("1e11\t0\t0\t0\t0\t10\t1\t0", "t_ms"),
        ("2\t-1\t0\t0\t0\t10\t1\t0", "tenant"),
        ("2\t0\t4294967296\t0\t0\t10\t1\t0", "session"),
        ("2\t0\t0\t1.5\t0\t10\t1\t0", "turn"),
        ("2\t0\t0\t0\t\t10\t1\t0", "think_ms"),
        ("2\t0\t0\t0\t0\t100000001\t1\t0", "in"),
        ("2\t0\t0\t0\t0\t10\t100000001\t0", "out"),
        ("2\t0\t0\t0\t0\t10\t1\t,0", "blocks"),
        ("2\t0\t0\t0\t0\t10\t1\t0\t9", "columns"),
    ] {
        let told = after(row);
        assert!(told.starts_with(&format!("trace `conv`, line 4, `{column}`: ")), "{row}: {told}");
    }
}

#[test]
fn a_prompt_has_no_more_blocks_than_its_tokens_fill() {
    assert!(parse("1\t0\t0\t0\t0\t513\t1\t0-1\n").is_ok());
    let told = refusal("1\t0\t0\t0\t0\t513\t1\t0-18446744073709551615\n");
    assert!(told.ends_with("expected at most 2: 513 tokens in blocks of 512"), "{told}");
}

#[test]
fn a_follow_up_needs_the_turn_before_it() {
    let first = "1\t0\t7\t0\t0\t10\t1\t0\n";
    assert!(parse(&format!("{first}-1\t0\t7\t1\t0\t10\t1\t0\n")).is_ok());
    let told = refusal("-1\t0\t7\t1\t0\t10\t1\t0\n");
    assert!(told.contains("line 3, `turn`: read `1`, expected a row of that session"), "{told}");
    let told = refusal(&format!("{first}-1\t0\t7\t2\t0\t10\t1\t0\n"));
    assert!(told.ends_with("expected 1 after turn 0, in session 7 of tenant 0"), "{told}");
    let other = refusal(&format!("{first}-1\t1\t7\t1\t0\t10\t1\t0\n"));
    assert!(other.contains("of tenant 1"), "{other}");
}

#[test]
fn headers_are_checked() {
    let told = |text: &str| Trace::parse("conv", text.as_bytes()).expect_err("it is wrong").to_string();
    assert!(told("").contains("has no rows"));
    assert!(told(HEAD).contains("has no rows"));
    assert!(told("hello\n").contains("its first line is `hello`, expected `#lrt1"));
    assert!(told("#lrt1 block=0\n").contains("line 1, `block`: read `0`"));
    assert!(told("#lrt1 arrivals=open\n").contains("expected `block=TOKENS` in it"));
    assert!(told("#lrt1 block=512 arrivals=never\n").contains("read `arrivals=never`"));
    assert!(told("#lrt1 block=512\n1\t0\n").contains("line 2, `columns`: read `1\\t0`"));
    assert!(told("#lrt1 block=512\n\x1b[31m").contains("\\u{1b}[31m"), "nothing reaches the terminal raw");
}

#[test]
fn lines_and_their_text_are_bounded() {
    let told = refusal(&"9".repeat(5 << 20));
    assert!(told.contains("line 3, the line: read `99") && told.len() < 200, "{told}");
    let raw = Trace::parse("conv", &b"\xff\xfe\n"[..]).expect_err("it is no text").to_string();
    assert!(raw.contains("expected UTF-8 text"), "{raw}");
}

#[test]
fn rows_and_blocks_are_bounded() {
    let entry = Entry { arrival: at(0), tenant: 0, session: 0, turn: 0, input: 2048, output: 1 };
    let mut draft = Draft::within("small", 512, 2, 5);
    draft.push(entry, 0..4).expect("there is room");
    let refused = draft.push(entry, 0..4).expect_err("that makes 8 blocks");
    assert!(refused.expected.starts_with("at most 5 blocks in all rows"), "{refused:?}");
    draft.push(entry, 0..1).expect("a refused row leaves nothing behind");
    let refused = draft.push(entry, []).expect_err("that makes 3 rows");
    assert!(refused.expected.starts_with("at most 2 rows"), "{refused:?}");
    let trace = draft.finish().expect("it has rows");
    assert_eq!(trace.blocks(&trace.rows[1]), [0]);
}

#[test]
fn a_missing_file_is_named() {
    let told = Trace::read(Path::new("/nowhere/conv.tsv")).expect_err("there is none").to_string();
    assert_eq!(told, "cannot open the trace `/nowhere/conv.tsv`");
}

#[test]
fn a_trace_is_named_after_its_file() {
    let folder = tempfile::tempdir().expect("a folder");
    for (file, expected) in [("conv.tsv.gz", "conv"), ("code.2.5x.csv", "code.2.5x"), ("plain", "plain")] {
        let path = folder.path().join(file);
        std::fs::write(&path, format!("{HEAD}1\t0\t0\t0\t0\t10\t1\t0\n")).expect("it is written");
        assert_eq!(Trace::read(&path).expect("it is right").name, expected);
    }
}

#[test]
fn the_shared_traces_are_read() {
    let cases = [
        ("mooncake-conversation.tsv.gz", 12_031, 0, 288_500, 12_035),
        ("mooncake-synthetic.tsv.gz", 3_993, 0, 121_877, 15_325),
        ("claude-code-agentic-dev.tsv.gz", 3_626, 3_538, 510_615, 72_359),
        ("azure2023-code.tsv.gz", 8_819, 0, 0, 2_048),
    ];
    for (file, rows, followers, blocks, input) in cases {
        let Some(trace) = shared(file) else { continue };
        assert_eq!(trace.rows.len(), rows, "{file}");
        assert_eq!(trace.followers().iter().flatten().count(), followers, "{file}");
        assert_eq!(trace.rows.iter().map(|row| trace.blocks(row).len()).sum::<usize>(), blocks, "{file}");
        let tokens: u64 = trace.rows.iter().map(|row| u64::from(row.input)).sum();
        assert!((tokens as f64 / rows as f64 - f64::from(input)).abs() < 1.0, "{file}");
    }
}

#[test]
fn the_same_requests_as_mooncake_writes_them_make_the_same_trace() {
    let Some(ours) = shared("mooncake-conversation.tsv.gz") else { return };
    let mut text = String::new();
    for row in &ours.rows {
        let Arrival::At(at) = row.arrival else { panic!("all come at a time of their own") };
        let (at, input, output, blocks) = (at.as_millis(), row.input, row.output, ours.blocks(row));
        writeln!(
            text,
            r#"{{"timestamp": {at}, "input_length": {input}, "output_length": {output}, "hash_ids": {blocks:?}}}"#
        )
        .expect("a string takes all");
    }
    let theirs = Trace::parse("mooncake-conversation", text.as_bytes()).expect("it is right");
    assert!(theirs == ours, "too long to show");
}

proptest! {
    /// Against a model: rows sorted by arrival, equal times in the order of the file, follow-ups behind their turn.
    #[test]
    fn rows_come_in_order(times in prop::collection::vec((0_u64..8, 0_usize..3), 1..40)) {
        let mut text = String::new();
        for (session, (time, turns)) in times.iter().enumerate() {
            writeln!(text, "{time}\t0\t{session}\t0\t0\t9\t1\t{session}").unwrap();
            for turn in 1..=*turns {
                writeln!(text, "-1\t0\t{session}\t{turn}\t5\t9\t1\t{session}").unwrap();
            }
        }
        let trace = parse(&text).unwrap();
        let mut order: Vec<_> = (0..times.len()).collect();
        order.sort_by_key(|session| (times[*session].0, *session));
        let expected: Vec<_> = order
            .into_iter()
            .flat_map(|session| (0..=times[session].1).map(move |turn| (session, turn)))
            .collect();
        let read: Vec<_> = trace.rows.iter().map(|row| (row.session as usize, row.turn as usize)).collect();
        prop_assert_eq!(read, expected);
        for row in &trace.rows {
            prop_assert_eq!(trace.blocks(row), &[u64::from(row.session)][..]);
        }
    }

    /// Whatever the file holds, reading ends with a trace or an error.
    #[test]
    fn garbage_is_never_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Trace::parse("garbage", bytes.as_slice());
        let mut behind = HEAD.as_bytes().to_vec();
        behind.extend(bytes);
        let _ = Trace::parse("garbage", behind.as_slice());
    }
}
