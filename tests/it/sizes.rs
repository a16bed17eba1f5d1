//! How long messages may be, over a real socket.

use std::future::poll_fn;

use pointsman::{
    config::ServerConfig,
    domain::policy::Policy,
    proto::{
        BatchPickNodesRequest, PickNodeRequest, RegisterNodeRequest, RequestType, StoreAnswerRequest,
        StreamPicksRequest, answer_service_client::AnswerServiceClient, report_load_request::Message,
        store_answer_request,
    },
};
use prost::bytes::Bytes;
use tokio::time::timeout;
use tonic::{Code, Status};

use crate::{
    raw,
    service::{Agent, DEADLINE, channel, idle, nodes, routing, spec, start, start_with, text},
};

/// A pick of at least so many bytes, which is refused for what it says if it is let in.
fn long_pick(bytes: usize) -> PickNodeRequest {
    PickNodeRequest { request_id: "x".repeat(bytes), ..text("") }
}

/// Refused for its length, with the limit told.
fn is_too_long<T>(answer: Result<T, Status>, limit: usize) {
    let status = answer.err().expect("it is too long");
    assert_eq!(status.code(), Code::OutOfRange, "{status:?}");
    assert!(status.message().contains(&format!("the limit is: {limit} bytes")), "{status:?}");
}

/// Let in, and refused for its fields.
fn is_read<T>(answer: Result<T, Status>) {
    assert_eq!(answer.err().expect("its fields are wrong").code(), Code::InvalidArgument);
}

#[tokio::test]
async fn a_pick_is_as_long_as_64_kib_and_a_batch_as_long_as_1_mib() {
    let running = start(Policy::default()).await;
    let mut client = routing(&running).await;
    is_read(client.pick_node(long_pick(65_000)).await);
    is_too_long(client.pick_node(long_pick(65_536)).await, 65_536);
    let batch = |bytes| BatchPickNodesRequest { picks: vec![long_pick(bytes)] };
    let answered = client.batch_pick_nodes(batch(1_000_000)).await.expect("it is read");
    assert_eq!(answered.into_inner().results.len(), 1);
    is_too_long(client.batch_pick_nodes(batch(1_048_576)).await, 1_048_576);
    client.pick_node(text("r1")).await.expect("the connection lives");
}

/// The stream ends, the connection does not.
#[tokio::test]
async fn a_streamed_pick_is_as_long_as_one_that_is_not() {
    let running = start(Policy::default()).await;
    let mut client = routing(&running).await;
    let asked = StreamPicksRequest { pick: Some(long_pick(65_536)) };
    let mut answers =
        client.stream_picks(tokio_stream::iter([asked])).await.expect("the stream opens").into_inner();
    is_too_long(timeout(DEADLINE, answers.message()).await.expect("in time"), 65_536);
    client.pick_node(text("r1")).await.expect("the connection lives");
}

#[tokio::test]
async fn reports_and_words_about_nodes_are_as_long_as_256_kib() {
    let running = start(Policy::default()).await;
    let mut client = nodes(&running).await;
    let register = |bytes: usize| RegisterNodeRequest { spec: Some(spec(&"x".repeat(bytes))) };
    is_read(client.register_node(register(100_000)).await);
    is_too_long(client.register_node(register(262_144)).await, 262_144);
    let mut agent = Agent::connect(&running).await;
    agent.register(spec("n1")).await.expect("the node is registered");
    agent.report(1, idle()).await.expect("the report is taken");
    let long = Message::Farewell(pointsman::proto::Farewell { reason: "x".repeat(262_144) });
    is_too_long(agent.say(long).await, 262_144);
}

fn answer(bytes: usize) -> StoreAnswerRequest {
    StoreAnswerRequest {
        request_type: RequestType::Text.into(),
        model: "m".into(),
        question: Some(store_answer_request::Question::Fingerprint(vec![7; 16])),
        body: Some(store_answer_request::Body::Inline(vec![0; bytes])),
        ..StoreAnswerRequest::default()
    }
}

/// Answers have a limit of their own, which the longest that is kept must fit into.
#[tokio::test]
async fn an_answer_is_as_long_as_is_kept() {
    let mut policy = Policy::default();
    policy.answers.body_bytes_max = 2_000_000;
    let config = ServerConfig { answer_bytes_max: 2_100_000, ..ServerConfig::default() };
    let running = start_with(policy, config).await;
    let mut client = AnswerServiceClient::new(channel(running.address()).await);
    client.store_answer(answer(2_000_000)).await.expect("it is kept");
    is_too_long(client.store_answer(answer(2_100_000)).await, 2_100_000);
}

/// Only the five bytes that stand before a message are sent: the service does not wait for the rest, nor make room for it.
#[tokio::test]
async fn what_is_announced_as_too_long_is_refused_before_it_comes() {
    let running = start(Policy::default()).await;
    let (mut send, connection) = raw::connect(running.address()).await;
    tokio::spawn(connection);
    poll_fn(|cx| send.poll_ready(cx)).await.expect("it takes requests");
    let (response, mut body) = raw::begin(&mut send, &raw::path("PickNode")).expect("it is sent");
    body.send_data(Bytes::from_static(&[0, 0xff, 0xff, 0xff, 0xff]), false).expect("it is sent");
    let response = timeout(DEADLINE, response).await.expect("in time").expect("it is answered");
    let status = Status::from_header_map(response.headers()).expect("it is refused");
    assert_eq!(status.code(), Code::OutOfRange);
    assert!(status.message().contains("found 4294967295 bytes"), "{status:?}");
}
