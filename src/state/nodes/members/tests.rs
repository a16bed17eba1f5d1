use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::{
    domain::{
        id::{NodeId, NodeNumber},
        node::{NodeOrigin, NodeSpec, ServedModel},
        policy::Policy,
    },
    state::nodes::{node::Live, trust::Trust},
};

const TYPES: [RequestType; 2] = [RequestType::Text, RequestType::Image];

fn name(number: u8) -> ModelName {
    ModelName::parse(&format!("m{number}")).expect("a good name")
}

fn types() -> impl Strategy<Value = Vec<RequestType>> {
    prop::sample::subsequence(TYPES.to_vec(), 0..=2)
}

fn node() -> impl Strategy<Value = Arc<Node>> {
    let model = (0_u8..3, types()).prop_map(|(number, request_types)| ServedModel {
        name: name(number),
        versions: Vec::new(),
        request_types,
    });
    (types(), prop::collection::vec(model, 0..4)).prop_map(|(types, models)| {
        let endpoints: BTreeMap<_, _> = types.into_iter().map(|kind| (kind, Arc::from("http://a"))).collect();
        let spec = NodeSpec { endpoints, models, ..NodeSpec::of(NodeId::parse("n").expect("a good id")) };
        let live = Arc::new(Live::new(NodeNumber::default(), &Policy::default(), Trust::UNATTENDED, None));
        Arc::new(Node::new(spec, NodeOrigin::Registered, live))
    })
}

proptest! {
    #[test]
    fn a_pool_is_who_would_be_found_by_asking_each(nodes in prop::collection::vec(node(), 0..20)) {
        let pools = Pools::of(&nodes);
        for request_type in TYPES {
            for model in (0..4).map(name) {
                let serves = |node: &Node| {
                    let named = node.spec.models.iter().any(|served| served.name == model && served.serves(request_type));
                    node.spec.endpoints.contains_key(&request_type) && (node.spec.models.is_empty() || named)
                };
                let asked: Vec<u32> = (0..).zip(&nodes).filter(|(_, node)| serves(node)).map(|(place, _)| place).collect();
                prop_assert_eq!(&pools.get(request_type, &model).places, &asked);
            }
        }
    }
}
