use super::*;
use crate::cli::simulate::fixture;

#[test]
fn every_run_has_its_figures() {
    let json = json(&fixture::report()).expect("it can be told");
    assert_eq!(json["trace"], "mooncake-conversation");
    assert_eq!((&json["nodes"], &json["load_ratio"], &json["seed"]), (&4.into(), &0.9.into(), &7.into()));
    let runs = json["runs"].as_array().expect("an array");
    assert_eq!(runs.len(), 3);
    let keys = [
        "in_time",
        "mean_ms",
        "p50_ms",
        "p90_ms",
        "p99_ms",
        "hit_ratio",
        "imbalance",
        "jain",
        "refused_ratio",
    ];
    for run in runs {
        assert!(run["policy"].is_string());
        for key in keys {
            assert!(run[key].is_number(), "{key} of {run}");
        }
        assert!(run.get("first_tokens").is_none(), "a million numbers help nobody");
    }
    assert_eq!(runs[2]["tiers"][0]["name"], "premium");
    assert_eq!(runs[2]["nodes"][3]["name"], "node-3");
}

#[test]
fn what_is_no_number_is_null_and_the_bytes_are_the_same_each_time() {
    let mut report = fixture::report();
    report.runs[0].mean_ms = f64::NAN;
    report.runs[0].imbalance = f64::INFINITY;
    let text = json(&report).expect("it can be told").to_string();
    assert!(text.contains(r#""mean_ms":null"#) && text.contains(r#""imbalance":null"#), "{text}");
    assert!(!text.contains("NaN") && !text.contains("inf"));
    assert_eq!(text, json(&report).expect("it can be told").to_string());
}
