use super::*;
use crate::domain::id::TenantId;

fn run(parent_block: Option<u64>, blocks: usize) -> proto::KvRun {
    proto::KvRun { parent_block, blocks: (1..=blocks as u64).collect() }
}

fn change(stored: Vec<proto::KvRun>, removed: usize) -> proto::KvChange {
    proto::KvChange { model: "m".into(), stored, removed: vec![7; removed], ..proto::KvChange::default() }
}

fn refused(changes: Vec<proto::KvChange>) -> Vec<String> {
    let told = proto::KvEvents { cleared: false, changes };
    let bad = kv_events("kv_events", Some(&told)).err().unwrap_or(Invalid(Vec::new()));
    bad.0.into_iter().map(|violation| violation.field).collect()
}

#[test]
fn events_of_a_cache_are_taken_as_they_are() {
    assert_eq!(kv_events("kv_events", None), Ok(KvEvents::default()));
    let theirs = proto::KvChange {
        tenant: "acme".into(),
        adapter: "poet".into(),
        ..change(vec![run(None, 2), run(Some(0), 1)], 1)
    };
    let told = proto::KvEvents { cleared: true, changes: vec![theirs, change(Vec::new(), 0)] };
    let stored = vec![KvRun { parent: None, blocks: vec![1, 2] }, KvRun { parent: Some(0), blocks: vec![1] }];
    let of = |tenant: &str, adapter: Option<&str>, removed, stored| KvChange {
        tenant: TenantId::parse(tenant).expect("a good name"),
        model: ModelName::parse("m").expect("a good name"),
        adapter: adapter.map(|name| AdapterName::parse(name).expect("a good name")),
        removed,
        stored,
    };
    let changes =
        vec![of("acme", Some("poet"), vec![7], stored), of("default", None, Vec::new(), Vec::new())];
    assert_eq!(kv_events("kv_events", Some(&told)), Ok(KvEvents { cleared: true, changes }));
}

#[test]
fn the_blocks_of_a_report_are_bounded_together() {
    let runs = |blocks: &[usize]| blocks.iter().map(|blocks| run(None, *blocks)).collect();
    assert!(refused(vec![change(runs(&[4000]), 0), change(runs(&[95]), 1)]).is_empty());
    assert_eq!(refused(vec![change(runs(&[4000]), 0), change(runs(&[95]), 2)]), ["kv_events.changes"]);
    assert_eq!(refused(vec![change(Vec::new(), 4097)]), ["kv_events.changes"]);
    assert_eq!(refused(vec![change(runs(&[0; 8192]), 0)]), ["kv_events.changes"]);
    assert_eq!(refused(vec![change(Vec::new(), 0); 8193]), ["kv_events.changes"]);
}

#[test]
fn each_wrong_field_is_named() {
    let nameless = proto::KvChange { model: String::new(), tenant: "a\nb".into(), ..change(Vec::new(), 1) };
    let hollow = proto::KvChange { adapter: "x".repeat(257), ..change(vec![run(None, 1), run(None, 0)], 0) };
    let expected = [
        "kv_events.changes[0].tenant",
        "kv_events.changes[0].model",
        "kv_events.changes[1].adapter",
        "kv_events.changes[1].stored[1].blocks",
    ];
    assert_eq!(refused(vec![nameless, hollow]), expected);
}
