//! Calls of one message, as clients may send them: in pieces, torn, twice, encoded.

use std::{future::poll_fn, time::Duration};

use h2::{Reason, client::SendRequest};
use pointsman::{
    app::Running,
    domain::policy::Policy,
    proto::{OutcomeResult, PickNodeResponse, ReportOutcomeRequest},
};
use prost::{Message, bytes::Bytes};
use tokio::{io::AsyncWriteExt, net::TcpStream, time::timeout};
use tonic::{Code, Status, codegen::http::HeaderMap};

use crate::{
    raw,
    service::{Agent, DEADLINE, rejection, route, routing, start, text},
};

/// A connection that lives in the background.
async fn connect(running: &Running) -> SendRequest<Bytes> {
    let (send, connection) = raw::connect(running.address()).await;
    tokio::spawn(connection);
    poll_fn(|cx| send.clone().poll_ready(cx)).await.expect("it takes requests");
    send
}

/// What comes of a pick whose body is these pieces; `headers` go with it.
async fn send(
    client: &mut SendRequest<Bytes>,
    pieces: &[&[u8]],
    headers: &[(&'static str, &'static str)],
) -> Result<Bytes, Status> {
    let (response, mut body) = raw::begin_with(client, &raw::path("PickNode"), headers).expect("it is sent");
    let (last, first) = pieces.split_last().expect("at least one");
    for piece in first {
        body.send_data(Bytes::copy_from_slice(piece), false).expect("it is sent");
        // Each on its way before the next is written, mostly.
        tokio::task::yield_now().await;
    }
    body.send_data(Bytes::copy_from_slice(last), true).expect("it is sent");
    let (head, mut body) =
        timeout(DEADLINE, response).await.expect("in time").expect("it is answered").into_parts();
    refused(&head.headers)?;
    let message = body.data().await.expect("a message").expect("whole");
    let trailers = body.trailers().await.expect("they come").expect("they are there");
    refused(&trailers)?;
    Ok(message)
}

fn refused(headers: &HeaderMap) -> Result<(), Status> {
    match Status::from_header_map(headers) {
        Some(status) if status.code() != Code::Ok => Err(status),
        _ => Ok(()),
    }
}

fn code(answer: Result<Bytes, Status>) -> Code {
    answer.expect_err("it is refused").code()
}

#[tokio::test]
async fn a_message_may_come_in_pieces_of_any_length() {
    let running = start(Policy::default()).await;
    let _node = Agent::of_idle_node(&running, "n1").await;
    let mut client = connect(&running).await;
    for length in [1, 3, 5, 7, 1_000] {
        let frame = raw::frame(&text(&format!("in-pieces-of-{length}")));
        let pieces: Vec<_> = frame.chunks(length).collect();
        let answer = send(&mut client, &pieces, &[]).await.expect("it is answered");
        let answer = PickNodeResponse::decode(&answer[5..]).expect("a reply");
        assert_eq!(answer.request_id, format!("in-pieces-of-{length}"));
        assert_eq!(route(answer).node_id, "n1");
    }
    // The last piece may be empty.
    let frame = raw::frame(&text("r1"));
    send(&mut client, &[&frame, &[]], &[]).await.expect("it is answered");
}

#[tokio::test]
async fn what_is_not_one_message_is_refused_and_the_connection_lives() {
    let running = start(Policy::default()).await;
    let _node = Agent::of_idle_node(&running, "n1").await;
    let mut client = connect(&running).await;
    let frame = raw::frame(&text("r1"));
    let twice = [&frame[..], &frame[..]].concat();
    let torn = &frame[..frame.len() - 1];
    for pieces in [&[&[][..]][..], &[&frame[..3]], &[torn], &[torn, &[]], &[&twice], &[&frame, &frame]] {
        assert_eq!(code(send(&mut client, pieces, &[]).await), Code::Unimplemented, "{pieces:?}");
    }
    let mut flagged = frame.to_vec();
    for flag in [1, 2] {
        flagged[0] = flag;
        assert_eq!(code(send(&mut client, &[&flagged], &[]).await), Code::Internal);
    }
    let garbage = [&[0, 0, 0, 0, 3][..], &[0xff, 0xff, 0xff]].concat();
    assert_eq!(code(send(&mut client, &[&garbage], &[]).await), Code::Internal);
    send(&mut client, &[&frame], &[]).await.expect("the connection lives");
}

#[tokio::test]
async fn only_the_identity_encoding_is_known() {
    let running = start(Policy::default()).await;
    let _node = Agent::of_idle_node(&running, "n1").await;
    let mut client = connect(&running).await;
    let frame = raw::frame(&text("r1"));
    send(&mut client, &[&frame], &[("grpc-encoding", "identity")]).await.expect("it is answered");
    let encoded = send(&mut client, &[&frame], &[("grpc-encoding", "gzip")]).await;
    assert_eq!(code(encoded), Code::Unimplemented);
}

#[tokio::test]
async fn a_caller_that_is_willing_to_wait_is_told_when_its_own_time_is_over() {
    let running = start(Policy::default()).await;
    let mut client = connect(&running).await;
    let wait = Some(prost_types::Duration { seconds: 30, nanos: 0 });
    let frame = raw::frame(&pointsman::proto::PickNodeRequest { max_wait: wait, ..text("r1") });
    let late = send(&mut client, &[&frame], &[("grpc-timeout", "20m")]).await;
    assert_eq!(code(late), Code::DeadlineExceeded);
    // Who does not wait is answered within any time.
    let frame = raw::frame(&text("r2"));
    let answer = send(&mut client, &[&frame], &[("grpc-timeout", "20m")]).await.expect("it is answered");
    rejection(PickNodeResponse::decode(&answer[5..]).expect("a reply"));
}

/// Who no longer waits takes no place from those who do.
#[tokio::test]
async fn a_pick_that_waits_ends_with_its_call_or_its_connection() {
    let running = start(Policy::default()).await;
    let wait = Some(prost_types::Duration { seconds: 60, nanos: 0 });
    let frame = raw::frame(&pointsman::proto::PickNodeRequest { max_wait: wait, ..text("r1") });
    let waiting = async |count: usize| {
        let reached = async {
            while running.desk().waiting() != count {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        timeout(DEADLINE, reached).await.expect("in time");
    };
    let (send, connection) = raw::connect(running.address()).await;
    let connection = tokio::spawn(connection);
    let mut client = send.ready().await.expect("it takes requests");
    let mut ask = || {
        let (response, mut body) = raw::begin(&mut client, &raw::path("PickNode")).expect("it is sent");
        body.send_data(frame.clone(), true).expect("it is sent");
        (response, body)
    };
    let ((_first, mut call), _second) = (ask(), ask());
    waiting(2).await;
    call.send_reset(Reason::CANCEL);
    waiting(1).await;
    connection.abort();
    waiting(0).await;
}

/// A gateway that goes down tells what it knows, and does not wait for an answer.
#[tokio::test]
async fn an_outcome_counts_though_its_caller_is_gone() {
    let running = start(Policy::default()).await;
    let _node = Agent::of_idle_node(&running, "n1").await;
    let mut gateway = routing(&running).await;
    let lease = route(gateway.pick_node(text("r1")).await.expect("it is answered").into_inner()).lease_id;
    let outcome = ReportOutcomeRequest {
        request_id: "r1".into(),
        lease_id: lease,
        result: OutcomeResult::Ok.into(),
        ..ReportOutcomeRequest::default()
    };
    let mut client = TcpStream::connect(running.address()).await.expect("it accepts");
    client.write_all(&raw::call("ReportOutcome", &outcome)).await.expect("it is sent");
    client.shutdown().await.expect("nothing more will be said");
    let settled = async {
        while running.desk().state.leases.live() > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(DEADLINE, settled).await.expect("the outcome was heard");
}
