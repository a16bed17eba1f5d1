use proptest::prelude::*;

use super::*;

fn asked() -> impl Strategy<Value = PickNodeRequest> {
    let names = (".{0,20}", ".{0,20}", prop::collection::vec(".{0,5}", 0..3));
    let rest = (prop::collection::vec(any::<u64>(), 0..40), prop::option::of(any::<i64>()), any::<bool>());
    (names, rest).prop_map(|((request_id, user, excluded_node_ids), (prefix_blocks, tokens, explain))| {
        PickNodeRequest {
            request_id,
            user,
            excluded_node_ids,
            prefix_blocks,
            prompt_tokens: tokens,
            explain,
            ..PickNodeRequest::default()
        }
    })
}

proptest! {
    /// Nothing of the pick before it is left, however the messages come.
    #[test]
    fn each_pick_reads_as_if_it_were_the_first(picks in prop::collection::vec((asked(), any::<bool>()), 1..8)) {
        for (asked, is_streamed) in picks {
            let read = if is_streamed {
                let message = StreamPicksRequest { pick: Some(asked.clone()) }.encode_to_vec();
                streamed(&message, Clone::clone)
            } else {
                pick(&asked.encode_to_vec(), Clone::clone)
            };
            prop_assert_eq!(read.expect("it is well-formed"), asked);
        }
    }
}

fn named(request_id: &str) -> PickNodeRequest {
    PickNodeRequest { request_id: request_id.into(), ..PickNodeRequest::default() }
}

#[test]
fn what_is_malformed_leaves_nothing_behind() {
    let whole = named("r1").encode_to_vec();
    for torn in [&whole[..1], &whole[..whole.len() - 1], &[0xff; 3]] {
        assert_eq!(pick(torn, Clone::clone).expect_err("it is torn").code(), tonic::Code::Internal);
    }
    assert_eq!(pick(&[], Clone::clone).expect("empty is well-formed"), PickNodeRequest::default());
}

/// A streamed message may hold its pick in parts, fields that we do not know, or nothing.
#[test]
fn what_holds_more_than_one_pick_reads_as_any_message() {
    let parts = [named("r1"), PickNodeRequest { user: "u1".into(), ..PickNodeRequest::default() }];
    let parts = parts.map(|pick| StreamPicksRequest { pick: Some(pick) }.encode_to_vec());
    let unknown = [0x78, 1];
    let message = [&parts[0][..], &parts[1], &unknown].concat();
    let whole = PickNodeRequest { user: "u1".into(), ..named("r1") };
    assert_eq!(streamed(&message, Clone::clone).expect("it is well-formed"), whole);
    assert_eq!(streamed(&[], Clone::clone).expect("it is well-formed"), PickNodeRequest::default());
    assert!(streamed(&parts[0][..3], Clone::clone).is_err());
}

/// Long ones have memory of their own.
#[test]
fn little_is_kept() {
    let long = named(&"x".repeat(KEPT_BYTES_MAX)).encode_to_vec();
    pick(&long, Clone::clone).expect("it is well-formed");
    assert!(PICK.with_borrow(|pick| pick.request_id.capacity()) < KEPT_BYTES_MAX);
}
