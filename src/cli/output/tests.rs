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

#[test]
fn every_reply_is_found_by_its_name() {
    for name in [
        "PickNodeResponse",
        "ExplainPickResponse",
        "ReportOutcomeResponse",
        "ReportLoadResponse",
        "ListNodesResponse",
        "GetNodeResponse",
        "DrainNodeResponse",
        "ResumeNodeResponse",
        "RemoveNodeResponse",
        "StoreAnswerResponse",
        "PurgeAnswersResponse",
        "GetAnswerStatsResponse",
        "ListLimitsResponse",
    ] {
        // Any empty message has the same bytes: none.
        let json = proto_json(name, &crate::proto::Node::default()).expect(name);
        assert_eq!(json, serde_json::json!({}), "{name}");
    }
}

#[test]
fn one_node_is_written_as_the_reply_that_holds_it() {
    let node = crate::proto::Node { load_score: 1.5, ..crate::proto::Node::default() };
    let reply = crate::proto::GetNodeResponse { node: Some(node) };
    let json = proto_json("GetNodeResponse", &reply).expect("a message of ours");
    assert_eq!(json, serde_json::json!({ "node": { "loadScore": 1.5 } }));
}

#[test]
fn bytes_of_an_answer_are_written_in_base64() {
    use crate::proto::{CachedAnswer, cached_answer::Body};
    let answer = CachedAnswer { body: Some(Body::Inline(b"yes\xff".to_vec())), ..CachedAnswer::default() };
    let response =
        PickNodeResponse { outcome: Some(Outcome::CachedAnswer(answer)), ..PickNodeResponse::default() };
    assert_eq!(json(&response), serde_json::json!({ "cachedAnswer": { "inline": "eWVz/w==" } }));
}
