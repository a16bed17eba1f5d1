//! `RoutingService` over the wire.

use std::time::Duration;

use pointsman::{
    domain::policy::Policy,
    proto::{
        BatchPickNodesRequest, ExplainPickRequest, Filter, OutcomeResult, OutcomeStatus, PickNodeRequest,
        RejectionReason, ReportOutcomeRequest, Rung, StreamPicksRequest, batch_pick_result, node_verdict,
        stream_picks_response,
    },
};
use tokio::time::timeout;
use tokio_stream::StreamExt;
use tonic::Code;
use tonic_types::StatusExt;

use crate::service::{Agent, DEADLINE, rejection, route, routing, start, text};

#[tokio::test]
async fn a_pick_is_routed_repeated_and_settled() {
    let running = start(Policy::default()).await;
    let _agent = Agent::of_idle_node(&running, "n1").await;
    let mut client = routing(&running).await;
    let response = client.pick_node(text("r1")).await.expect("it answers").into_inner();
    assert_eq!((response.request_id.as_str(), response.rung()), ("r1", Rung::Normal));
    let first = route(response);
    assert_eq!((first.node_id.as_str(), first.endpoint.as_str()), ("n1", "http://n1:8000"));
    let again = route(client.pick_node(text("r1")).await.expect("it answers").into_inner());
    assert!(again.repeated);
    assert_eq!(again.lease_id, first.lease_id);

    let outcome = ReportOutcomeRequest {
        request_id: "r1".into(),
        lease_id: first.lease_id,
        result: OutcomeResult::Ok.into(),
        ..ReportOutcomeRequest::default()
    };
    for status in [OutcomeStatus::Settled, OutcomeStatus::AlreadySettled] {
        let told = client.report_outcome(outcome.clone()).await.expect("it answers").into_inner();
        assert_eq!((told.status(), told.node_id.as_str()), (status, "n1"));
    }
}

#[tokio::test]
async fn a_route_names_the_policy_that_picked_and_the_target_that_was_wanted() {
    let running = start(Policy::default()).await;
    let _agent = Agent::of_idle_node(&running, "n1").await;
    let mut client = routing(&running).await;
    let usual = route(client.pick_node(text("r1")).await.expect("it answers").into_inner());
    assert_eq!(usual.policy, "weighted_load", "the node reports no more than it needs");
    assert_eq!(usual.first_token_latency_target, Some(prost_types::Duration { seconds: 3, nanos: 0 }));
    let wanted = Some(prost_types::Duration { seconds: 0, nanos: 250_000_000 });
    let hasty = PickNodeRequest { first_token_target: wanted, ..text("r2") };
    let hasty = route(client.pick_node(hasty).await.expect("it answers").into_inner());
    assert_eq!(hasty.first_token_latency_target, wanted);
}

#[tokio::test]
async fn one_tenants_request_is_not_anothers() {
    let running = start(Policy::default()).await;
    let _agent = Agent::of_idle_node(&running, "n1").await;
    let mut client = routing(&running).await;
    let of = |tenant: &str| PickNodeRequest { tenant: tenant.into(), ..text("r1") };
    let first = route(client.pick_node(of("a")).await.expect("it answers").into_inner());
    let other = route(client.pick_node(of("b")).await.expect("it answers").into_inner());
    assert!(!other.repeated);
    assert_ne!(first.lease_id, other.lease_id);
}

#[tokio::test]
async fn a_refusal_is_an_answer_that_names_the_filter() {
    let running = start(Policy::default()).await;
    let mut client = routing(&running).await;
    let empty = rejection(client.pick_node(text("r1")).await.expect("it answers").into_inner());
    assert_eq!(empty.reason(), RejectionReason::NoNodes);
    assert!(empty.retry_delay.is_some());
    let _agent = Agent::of_idle_node(&running, "n1").await;
    let premium = PickNodeRequest { tier: 1, ..text("r2") };
    let refused = rejection(client.pick_node(premium).await.expect("it answers").into_inner());
    assert_eq!(refused.reason(), RejectionReason::NoEligibleNode);
    assert_eq!(refused.emptied_by(), Filter::NodeClass);
}

#[tokio::test]
async fn malformed_input_is_an_error_that_names_each_field() {
    let running = start(Policy::default()).await;
    let mut client = routing(&running).await;
    let bad = PickNodeRequest {
        request_id: "x".repeat(129),
        request_type: 99,
        tier: -1,
        excluded_node_ids: vec!["fine".into(), "not fine".into()],
        prompt_tokens: Some(-1),
        max_wait: Some(prost_types::Duration { seconds: 61, nanos: 0 }),
        lease_ttl: Some(prost_types::Duration { seconds: i64::MIN, nanos: i32::MIN }),
        ..PickNodeRequest::default()
    };
    let status = client.pick_node(bad).await.expect_err("it is malformed");
    assert_eq!(status.code(), Code::InvalidArgument);
    let details = status.get_error_details();
    assert_eq!(details.error_info().expect("it has a reason").reason, "INVALID_FIELD");
    let bad_request = details.bad_request().expect("it names fields");
    let fields: Vec<_> = bad_request.field_violations.iter().map(|v| v.field.as_str()).collect();
    let expected = [
        "request_id",
        "request_type",
        "model",
        "tier",
        "excluded_node_ids[1]",
        "prompt_tokens",
        "max_wait",
        "lease_ttl",
    ];
    assert_eq!(fields, expected);
}

#[tokio::test]
async fn a_stream_answers_each_pick_and_survives_a_malformed_one() {
    let running = start(Policy::default()).await;
    let _agent = Agent::of_idle_node(&running, "n1").await;
    let mut client = routing(&running).await;
    let picks = [text("r1"), PickNodeRequest { model: String::new(), ..text("r2") }, text(""), text("r3")];
    let picks = picks.map(|pick| StreamPicksRequest { pick: Some(pick) });
    let answers = client.stream_picks(tokio_stream::iter(picks)).await.expect("it opens").into_inner();
    let mut answers: Vec<_> = answers.map(|answer| answer.expect("the stream goes on")).collect().await;
    answers.sort_by(|a, b| a.request_id.cmp(&b.request_id));
    let kinds: Vec<_> = answers
        .iter()
        .map(|answer| match &answer.result {
            Some(stream_picks_response::Result::Decision(_)) => (answer.request_id.as_str(), "decision"),
            Some(stream_picks_response::Result::Error(e)) => {
                (answer.request_id.as_str(), e.field_violations[0].field.as_str())
            }
            None => panic!("an empty answer"),
        })
        .collect();
    assert_eq!(kinds, [("", "pick.request_id"), ("r1", "decision"), ("r2", "model"), ("r3", "decision")]);
}

#[tokio::test]
async fn a_batch_answers_in_order_and_a_malformed_pick_fails_alone() {
    let running = start(Policy::default()).await;
    let _agent = Agent::of_idle_node(&running, "n1").await;
    let mut client = routing(&running).await;
    let picks = vec![text("r1"), PickNodeRequest::default(), text("r3")];
    let results = client.batch_pick_nodes(BatchPickNodesRequest { picks }).await.expect("it answers");
    let results = results.into_inner().results;
    let is_decided: Vec<_> =
        results.iter().map(|r| matches!(r.result, Some(batch_pick_result::Result::Decision(_)))).collect();
    assert_eq!(is_decided, [true, false, true]);
    let too_many = BatchPickNodesRequest { picks: vec![text(""); 257] };
    assert_eq!(client.batch_pick_nodes(too_many).await.expect_err("too many").code(), Code::InvalidArgument);
}

#[tokio::test]
async fn an_explained_pick_says_what_became_of_each_node_and_takes_no_lease() {
    let running = start(Policy::default()).await;
    let _one = Agent::of_idle_node(&running, "n1").await;
    let _two = Agent::of_idle_node(&running, "n2").await;
    let mut client = routing(&running).await;
    let pick = PickNodeRequest { excluded_node_ids: vec!["n2".into()], ..text("r1") };
    let explained = client.explain_pick(ExplainPickRequest { pick: Some(pick) }).await.expect("it answers");
    let decision = explained.into_inner().decision.expect("it decides");
    let explanation = decision.explanation.clone().expect("it explains");
    let verdicts: Vec<_> =
        explanation.nodes.into_iter().map(|node| node.verdict.expect("one each")).collect();
    assert!(matches!(&verdicts[0], node_verdict::Verdict::Score(score) if score.rank == 0));
    assert!(matches!(&verdicts[1], node_verdict::Verdict::Drop(drop) if drop.filter() == Filter::Excluded));
    assert_eq!(route(decision).lease_id, "");
    assert_eq!(running.desk().state.leases.live(), 0);
}

#[tokio::test]
async fn a_pick_that_may_wait_is_answered_when_a_node_comes() {
    let running = start(Policy::default()).await;
    let mut client = routing(&running).await;
    let max_wait = Some(prost_types::Duration { seconds: 15, nanos: 0 });
    let patient = PickNodeRequest { max_wait, ..text("r1") };
    let waiting = tokio::spawn(async move { client.pick_node(patient).await });
    let _agent = Agent::of_idle_node(&running, "n1").await;
    let answer = timeout(DEADLINE, waiting).await.expect("in time").expect("no panic").expect("it answers");
    assert_eq!(route(answer.into_inner()).node_id, "n1");
}

#[tokio::test]
async fn a_pick_that_has_waited_in_vain_is_refused() {
    let running = start(Policy::default()).await;
    let mut client = routing(&running).await;
    let max_wait = Some(prost_types::Duration { seconds: 0, nanos: 50_000_000 });
    let asked = tokio::time::Instant::now();
    let refused = client.pick_node(PickNodeRequest { max_wait, ..text("r1") }).await.expect("it answers");
    assert_eq!(rejection(refused.into_inner()).reason(), RejectionReason::NoNodes);
    assert!(asked.elapsed() >= Duration::from_millis(50));
}

#[tokio::test]
async fn picks_of_a_batch_wait_together() {
    let running = start(Policy::default()).await;
    let mut client = routing(&running).await;
    let max_wait = Some(prost_types::Duration { seconds: 1, nanos: 0 });
    let picks = (0..100).map(|i| PickNodeRequest { max_wait, ..text(&format!("r{i}")) }).collect();
    let batch = timeout(DEADLINE, client.batch_pick_nodes(BatchPickNodesRequest { picks })).await;
    assert_eq!(batch.expect("not one after the other").expect("it answers").into_inner().results.len(), 100);
}

#[tokio::test]
async fn a_message_with_very_many_bad_fields_gets_an_error_that_can_be_read() {
    let running = start(Policy::default()).await;
    let mut client = routing(&running).await;
    let bad = PickNodeRequest { excluded_node_ids: vec!["not fine".into(); 64], ..text("r1") };
    let status = client.pick_node(bad).await.expect_err("it is malformed");
    assert_eq!(status.code(), Code::InvalidArgument);
    let details = status.get_error_details();
    let told = &details.bad_request().expect("it names fields").field_violations;
    assert_eq!(told.len(), 16);
    assert!(told[15].description.ends_with("(and 48 more malformed fields)"), "{}", told[15].description);
}
