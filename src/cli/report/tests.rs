use clap::Parser;

use super::*;

#[derive(Debug, Parser)]
struct Line {
    #[command(flatten)]
    report: Report,
}

fn parsed(flags: &[&str]) -> Result<Report, String> {
    let line = ["report", "--node", "n", "--endpoint", "text=http://a:1"].iter().chain(flags);
    Line::try_parse_from(line).map(|line| line.report).map_err(|error| error.to_string())
}

#[test]
fn what_is_left_out_is_not_known() {
    let report = parsed(&[]).expect("a good line");
    assert_eq!(report.load.to_proto(), NodeLoad::default());
    assert_eq!(report.node.to_proto().kv_tokens, None);
}

#[test]
fn each_flag_goes_into_its_field() {
    let flags = "--kv-tokens 9 --kv-capacity 8 --kv-active 0 --queued-tokens 7 --queued-work 6.5 --speed 0.5 --decoding 4 \
                 --received-lease 00ff --age 20ms --adapter a --adapter b";
    let report = parsed(&flags.split_whitespace().collect::<Vec<_>>()).expect("a good line");
    let expected = NodeLoad {
        kv_capacity_tokens: Some(8),
        kv_active_tokens: Some(0),
        queued_prompt_tokens: Some(7),
        queued_work: Some(6.5),
        work_per_ms: Some(0.5),
        decoding_request_count: Some(4),
        received_lease_id: "00ff".into(),
        age: Some(prost_types::Duration { seconds: 0, nanos: 20_000_000 }),
        loaded_adapters: vec!["a".into(), "b".into()],
        ..NodeLoad::default()
    };
    assert_eq!(report.load.to_proto(), expected);
    assert_eq!(report.node.to_proto().kv_tokens, Some(9));
}

#[test]
fn a_number_out_of_range_is_told_by_its_flag() {
    let absurd = [
        ("--kv-tokens", "0"),
        ("--kv-tokens", "1000000000001"),
        ("--kv-capacity", "-1"),
        ("--kv-active", "1000000000001"),
        ("--queued-tokens", "x"),
        ("--queued-work", "-0.5"),
        ("--queued-work", "nan"),
        ("--queued-work", "1.1e12"),
        ("--speed", "0"),
        ("--speed", "inf"),
        ("--speed", "1000001"),
        ("--decoding", "1000001"),
        ("--age", "5"),
    ];
    for (flag, value) in absurd {
        let told = parsed(&[flag, value]).expect_err("out of range");
        assert!(told.contains(&format!("'{value}' for '{flag} ")), "{told}");
    }
}
