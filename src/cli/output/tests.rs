use super::*;
use crate::proto::{
    Filter, PickNodeResponse, Rejection, RejectionReason, Route, Rung, pick_node_response::Outcome,
};

fn json(response: &PickNodeResponse) -> serde_json::Value {
    proto_json("PickNodeResponse", response).expect("a message of ours")
}

#[test]
fn replies_are_written_by_the_proto3_json_mapping() {
    let route = Route {
        node_id: "n1".into(),
        lease_ttl: Some(prost_types::Duration { seconds: 0, nanos: 500_000_000 }),
        ..Route::default()
    };
    let response = PickNodeResponse { outcome: Some(Outcome::Route(route)), ..PickNodeResponse::default() };
    assert_eq!(json(&response), serde_json::json!({ "route": { "nodeId": "n1", "leaseTtl": "0.500s" } }));
}

#[test]
fn enums_are_written_by_name() {
    let rejection = Rejection {
        reason: RejectionReason::NoEligibleNode.into(),
        emptied_by: Filter::NodeClass.into(),
        ..Rejection::default()
    };
    let response = PickNodeResponse {
        outcome: Some(Outcome::Rejection(rejection)),
        rung: Rung::Normal.into(),
        ..PickNodeResponse::default()
    };
    let expected = serde_json::json!({
        "rejection": { "reason": "REJECTION_REASON_NO_ELIGIBLE_NODE", "emptiedBy": "FILTER_NODE_CLASS" },
        "rung": "RUNG_NORMAL",
    });
    assert_eq!(json(&response), expected);
}

#[test]
fn large_integers_are_written_as_text() {
    let node = crate::proto::Node { in_flight_request_count: 3, ..crate::proto::Node::default() };
    let json = proto_json("Node", &node).expect("a message of ours");
    assert_eq!(json["inFlightRequestCount"], "3");
}
