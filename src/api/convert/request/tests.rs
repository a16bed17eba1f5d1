use super::*;

fn terms() -> Terms {
    Terms {
        ttl_max: Duration::from_mins(1),
        block_tokens: NonZeroU32::new(100).expect("it is not 0"),
        digester: Digester::with_secret(7),
    }
}

fn asked() -> proto::PickNodeRequest {
    proto::PickNodeRequest {
        request_type: proto::RequestType::Text.into(),
        model: "m".into(),
        ..proto::PickNodeRequest::default()
    }
}

fn checked(asked: &proto::PickNodeRequest) -> RouteRequest {
    pick(asked, &terms(), || "r".to_owned()).expect("it is well-formed").request
}

fn refused(asked: &proto::PickNodeRequest) -> Vec<(String, String)> {
    let bad = pick(asked, &terms(), || "r".to_owned()).expect_err("it is malformed");
    bad.0.into_iter().map(|violation| (violation.field, violation.description)).collect()
}

fn in_session(session: &str, prompt_tokens: Option<i64>) -> proto::PickNodeRequest {
    proto::PickNodeRequest { session: session.into(), prompt_tokens, ..asked() }
}

#[test]
fn what_is_not_said_is_unknown() {
    let request = checked(&asked());
    assert_eq!((request.adapter, request.first_token_target, request.prefix), (None, None, Vec::new()));
}

#[test]
fn a_prompts_hashes_become_as_many_keys() {
    let hashed = |prefix_blocks| checked(&proto::PickNodeRequest { prefix_blocks, ..asked() }).prefix;
    let two = hashed(vec![0, u64::MAX]);
    assert_eq!(two.len(), 2, "0 is a hash like any other");
    assert_eq!(hashed(vec![0, u64::MAX, 5])[..2], two);
    assert_eq!(hashed(vec![9; PrefixPolicy::BLOCKS_MAX]).len(), PrefixPolicy::BLOCKS_MAX);
    let longer = proto::PickNodeRequest { prefix_blocks: vec![9; PrefixPolicy::BLOCKS_MAX + 1], ..asked() };
    let told = ("prefix_blocks".to_owned(), "must hold at most 4096 items, got 4097".to_owned());
    assert_eq!(refused(&longer), [told]);
}

#[test]
fn the_same_hashes_of_another_tenant_model_or_adapter_have_other_keys() {
    let hashed = proto::PickNodeRequest { prefix_blocks: vec![1, 2, 3], ..asked() };
    let keys = checked(&hashed).prefix;
    let others = [
        proto::PickNodeRequest { tenant: "b".into(), ..hashed.clone() },
        proto::PickNodeRequest { model: "n".into(), ..hashed.clone() },
        proto::PickNodeRequest { adapter: "x".into(), ..hashed.clone() },
    ];
    for other in others {
        assert!(checked(&other).prefix.iter().all(|key| !keys.contains(key)), "{other:?}");
    }
    let named = proto::PickNodeRequest { tenant: TenantId::DEFAULT.into(), user: "u".into(), ..hashed };
    assert_eq!(checked(&named).prefix, keys, "users of a tenant share");
}

#[test]
fn a_session_has_a_block_for_each_whole_one_of_its_prompt() {
    let keys = |tokens| checked(&in_session("s", tokens)).prefix;
    let counts = [None, Some(0), Some(99), Some(100), Some(999)].map(|tokens| keys(tokens).len());
    assert_eq!(counts, [0, 0, 0, 1, 9]);
    assert!(keys(Some(999)).starts_with(&keys(Some(350))), "a later prompt extends an earlier one");
    assert_eq!(keys(Some(100_000_000)).len(), PrefixPolicy::BLOCKS_MAX);
    let other = checked(&in_session("t", Some(999))).prefix;
    assert!(other.iter().all(|key| !keys(Some(999)).contains(key)), "sessions share nothing");
}

#[test]
fn hashes_count_for_more_than_the_session() {
    let hashed = proto::PickNodeRequest { prefix_blocks: vec![1, 2], ..asked() };
    let both = proto::PickNodeRequest { prefix_blocks: vec![1, 2], ..in_session("s", Some(900)) };
    assert_eq!(checked(&both).prefix, checked(&hashed).prefix);
}

#[test]
fn each_bound_is_kept_and_named() {
    let span = |seconds, nanos| Some(prost_types::Duration { seconds, nanos });
    let most = proto::PickNodeRequest {
        adapter: "x".repeat(256),
        session: "x".repeat(128),
        first_token_target: span(3600, 0),
        ..asked()
    };
    assert_eq!(checked(&most).first_token_target, Some(RouteRequest::MAX_TARGET));
    let least = proto::PickNodeRequest { first_token_target: span(0, 1), ..asked() };
    assert_eq!(checked(&least).first_token_target, Some(Duration::from_nanos(1)));

    let over = proto::PickNodeRequest {
        adapter: "x".repeat(257),
        session: "x".repeat(129),
        first_token_target: span(3600, 1),
        ..asked()
    };
    let fields: Vec<_> = refused(&over).into_iter().map(|(field, _)| field).collect();
    assert_eq!(fields, ["adapter", "first_token_target", "session"]);
    for (seconds, nanos) in [(0, 0), (-1, 0), (i64::MIN, i32::MIN), (1, 1_000_000_000)] {
        let bad = proto::PickNodeRequest { first_token_target: span(seconds, nanos), ..asked() };
        assert_eq!(refused(&bad)[0].0, "first_token_target", "{seconds} {nanos}");
    }
}
