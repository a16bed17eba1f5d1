use super::*;
use crate::{domain::id::LeaseId, wire};

fn fields(bad: Invalid) -> Vec<String> {
    bad.0.into_iter().map(|violation| violation.field).collect()
}

fn refused(reported: &proto::NodeLoad) -> Vec<String> {
    load("load", Some(reported)).map_err(fields).expect_err("it is absurd")
}

/// As much as a report can claim.
fn most() -> proto::NodeLoad {
    proto::NodeLoad {
        kv_capacity_tokens: Some(1_000_000_000_000),
        kv_active_tokens: Some(1_000_000_000_000),
        queued_prompt_tokens: Some(1_000_000_000_000),
        queued_work: Some(1e12),
        work_per_ms: Some(1e6),
        decoding_request_count: Some(1_000_000),
        received_lease_id: LeaseId(u64::MAX).to_string(),
        age: Some(prost_types::Duration { seconds: 60, nanos: 0 }),
        loaded_adapters: vec!["x".repeat(256); 256],
        ..proto::NodeLoad::default()
    }
}

#[test]
fn nothing_reported_is_not_zero_reported() {
    let load = |reported: proto::NodeLoad| super::load("load", Some(&reported)).expect("it is sound");
    assert_eq!(load(proto::NodeLoad::default()), NodeLoad::default());
    let zeros = load(proto::NodeLoad {
        kv_capacity_tokens: Some(0),
        kv_active_tokens: Some(0),
        queued_prompt_tokens: Some(0),
        queued_work: Some(-0.0),
        decoding_request_count: Some(0),
        received_lease_id: "0".into(),
        age: Some(prost_types::Duration::default()),
        ..proto::NodeLoad::default()
    });
    assert_eq!((zeros.kv_capacity, zeros.kv_active, zeros.queued_tokens), (Some(0), Some(0), Some(0)));
    assert_eq!((zeros.decoding, zeros.age), (Some(0), Some(Duration::ZERO)));
    assert_eq!(zeros.received_lease, Some(LeaseId(0)));
    assert!(zeros.queued_work.is_some_and(|work| work.is_sign_positive() && work <= 0.0));
}

#[test]
fn what_is_at_its_bound_is_taken_and_told_again() {
    let load = load("load", Some(&most())).expect("it is sound");
    assert_eq!(load.received_lease, Some(LeaseId(u64::MAX)));
    assert_eq!(wire::load(&load), most());
}

#[test]
fn what_is_beyond_its_bound_is_named() {
    let over = proto::NodeLoad {
        kv_capacity_tokens: Some(1_000_000_000_001),
        kv_active_tokens: Some(-1),
        queued_prompt_tokens: Some(i64::MIN),
        queued_work: Some(1e12 + 1.0),
        work_per_ms: Some(0.0),
        decoding_request_count: Some(1_000_001),
        received_lease_id: "a lease".into(),
        age: Some(prost_types::Duration { seconds: 60, nanos: 1 }),
        loaded_adapters: vec!["fine".into(), "x".repeat(257), String::new()],
        ..proto::NodeLoad::default()
    };
    let expected = [
        "load.loaded_adapters[1]",
        "load.loaded_adapters[2]",
        "load.kv_capacity_tokens",
        "load.kv_active_tokens",
        "load.queued_prompt_tokens",
        "load.queued_work",
        "load.work_per_ms",
        "load.decoding_request_count",
        "load.received_lease_id",
        "load.age",
    ];
    assert_eq!(refused(&over), expected);
    let more = proto::NodeLoad { loaded_adapters: vec!["x".into(); 257], ..proto::NodeLoad::default() };
    assert_eq!(refused(&more), ["load.loaded_adapters"]);
}

#[test]
fn numbers_that_are_none_are_refused() {
    for absurd in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0] {
        let work = proto::NodeLoad { queued_work: Some(absurd), ..proto::NodeLoad::default() };
        assert_eq!(refused(&work), ["load.queued_work"], "{absurd}");
        let speed = proto::NodeLoad { work_per_ms: Some(absurd), ..proto::NodeLoad::default() };
        assert_eq!(refused(&speed), ["load.work_per_ms"], "{absurd}");
    }
    for absurd in [1e6 + 1.0, f64::MIN_POSITIVE / 2.0] {
        let speed = proto::NodeLoad { work_per_ms: Some(absurd), ..proto::NodeLoad::default() };
        assert_eq!(refused(&speed), ["load.work_per_ms"], "{absurd}");
    }
}
