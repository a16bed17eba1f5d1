use super::*;

fn load(kv_cache: Option<f64>, kv_capacity: Option<u64>, kv_active: Option<u64>) -> NodeLoad {
    let kv_cache = kv_cache.map(|share| Ratio::try_new(share).expect("a share"));
    NodeLoad { kv_cache, kv_capacity, kv_active, ..NodeLoad::default() }
}

#[test]
fn tokens_in_use_are_told_or_follow_from_the_share_in_use() {
    assert_eq!(load(None, None, Some(70)).kv_tokens_active(None), Some(70.0));
    assert_eq!(load(Some(0.5), Some(1000), None).kv_tokens_active(None), Some(500.0));
    assert_eq!(load(Some(0.5), None, None).kv_tokens_active(Some(400)), Some(200.0), "declared");
    assert_eq!(load(Some(0.5), None, None).kv_tokens_active(None), None);
}

#[test]
fn the_share_in_use_is_told_or_follows_from_the_tokens() {
    assert_eq!(load(Some(0.25), Some(1000), Some(900)).kv_share(), 0.25);
    assert_eq!(load(None, Some(1000), Some(900)).kv_share(), 0.9);
    assert_eq!(load(None, Some(0), Some(900)).kv_share(), 1.0, "absurd, but no division by nothing");
    assert_eq!(load(None, None, None).kv_share(), 0.0);
}

#[test]
fn an_adapter_is_lacked_only_where_the_node_says_what_it_has() {
    let adapter = |name: &str| AdapterName::parse(name).expect("a name");
    let has = |names: &[&str]| NodeLoad {
        adapters: names.iter().map(|name| adapter(name)).collect(),
        ..NodeLoad::default()
    };
    assert!(has(&["a"]).lacks(&adapter("b")));
    assert!(!has(&["a", "b"]).lacks(&adapter("b")) && !has(&[]).lacks(&adapter("b")));
}
