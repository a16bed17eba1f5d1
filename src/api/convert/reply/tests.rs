use proptest::prelude::*;

use super::*;
use crate::domain::{
    decision::{LeaseGrant, Rejection, RejectionReason, Rung, Targets},
    id::{LeaseId, ModelName, NodeId, NodeNumber},
    policy::Balance,
};
use crate::proto;

fn target() -> impl Strategy<Value = Target> {
    ("[a-z0-9.:/-]{1,40}", ".{0,300}").prop_map(|(node, endpoint)| {
        Target::new(&NodeId::parse(&node).expect("a good id"), NodeNumber::default(), &endpoint)
    })
}

fn span() -> impl Strategy<Value = Duration> {
    prop_oneof![
        Just(Duration::ZERO),
        Just(Duration::MAX),
        (any::<u32>(), 0_u32..1_000_000_000)
            .prop_map(|(seconds, nanos)| Duration::new(seconds.into(), nanos)),
    ]
}

fn route() -> impl Strategy<Value = Route> {
    let lease = (any::<u64>(), span()).prop_map(|(id, ttl)| LeaseGrant { id: LeaseId(id), ttl });
    let names = (prop::collection::vec(target(), 1..5), "[a-z]{1,200}");
    let spans = (prop::option::of(span()), span());
    let rest = (prop::option::of(any::<u32>()), any::<bool>(), any::<bool>());
    (names, prop::option::of(lease), spans, rest).prop_map(
        |((targets, model), lease, (expected, wanted), (cached, spilled, repeated))| Route {
            targets: Targets::new(targets).expect("there is one at least"),
            lease,
            expected_first_token_latency: expected,
            expected_cached_tokens: cached,
            first_token_target: wanted,
            spilled,
            repeated,
            balance: Balance::ExpectedCost,
            model: ModelName::parse(&model).expect("a good name"),
        },
    )
}

fn outcome() -> impl Strategy<Value = Result<Granted, Rejection>> {
    let refused = Rejection { reason: RejectionReason::NoNodes, retry_delay: Some(Duration::from_secs(1)) };
    prop_oneof![
        9 => route().prop_map(|route| Ok(Granted::Route(Box::new(route)))),
        1 => Just(Err(refused)),
    ]
}

proptest! {
    #[test]
    fn what_is_written_reads_as_the_message(request in "[ -~]{1,128}", outcome in outcome(), busy in any::<bool>()) {
        let rung = if busy { Rung::Busy } else { Rung::Normal };
        let request = RequestId::parse(&request).expect("a good name");
        let told = Told { request, decision: Decision { outcome, rung, explanation: None, turned: None } };
        let mut written = Vec::new();
        told.put(&mut written);
        let message = decision::decision(&told.request, told.decision);
        prop_assert_eq!(&written, &message.encode_to_vec());
        prop_assert_eq!(proto::PickNodeResponse::decode(&*written).expect("it is well-formed"), message);
    }

    #[test]
    fn a_lease_has_the_same_digits_either_way(id in any::<u64>()) {
        let id = LeaseId(id);
        prop_assert_eq!(id.digits().to_vec(), id.to_string().into_bytes());
        prop_assert_eq!(LeaseId::parse(&id.to_string()), Some(id));
    }
}
