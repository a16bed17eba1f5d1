//! Streams of picks, as clients may send them: torn, many at once, wrong, and without taking a reply.

use std::time::Duration;

use h2::{
    Reason, RecvStream, SendStream,
    client::{Builder, SendRequest},
};
use pointsman::{
    app::Running,
    domain::policy::Policy,
    proto::{
        PickNodeRequest, StreamPicksRequest, StreamPicksResponse, pick_node_response::Outcome,
        stream_picks_response,
    },
};
use prost::{
    Message,
    bytes::{Buf, Bytes, BytesMut},
};
use tokio::{
    net::TcpStream,
    time::{sleep, timeout},
};
use tonic::{Code, Status};

use crate::{
    raw,
    service::{Agent, DEADLINE, start, text},
};

/// A connection that lives in the background, whose streams may send so many bytes before they are read.
async fn connect(running: &Running, window: u32) -> SendRequest<Bytes> {
    let io = TcpStream::connect(running.address()).await.expect("it accepts");
    let (send, connection) =
        Builder::new().initial_window_size(window).handshake(io).await.expect("it speaks HTTP/2");
    tokio::spawn(connection);
    send.ready().await.expect("it takes requests")
}

/// A stream of picks: what is sent, and what comes.
async fn open(client: &mut SendRequest<Bytes>) -> (SendStream<Bytes>, RecvStream) {
    let (response, out) = raw::begin(client, &raw::path("StreamPicks")).expect("it is sent");
    let response = timeout(DEADLINE, response).await.expect("in time").expect("it is answered");
    (out, response.into_body())
}

/// All replies of a stream, and how it ends.
async fn heard(mut body: RecvStream) -> (Vec<StreamPicksResponse>, Status) {
    let mut bytes = BytesMut::new();
    while let Some(piece) = timeout(DEADLINE, body.data()).await.expect("in time") {
        let piece = piece.expect("whole");
        body.flow_control().release_capacity(piece.len()).expect("it was taken");
        bytes.extend_from_slice(&piece);
    }
    let mut replies = Vec::new();
    while bytes.has_remaining() {
        assert_eq!(bytes.get_u8(), 0, "none is compressed");
        let length = bytes.get_u32() as usize;
        replies.push(StreamPicksResponse::decode(bytes.split_to(length)).expect("a reply"));
    }
    let trailers = body.trailers().await.expect("they come").expect("they are there");
    (replies, Status::from_header_map(&trailers).expect("it says how it went"))
}

fn asked(request_id: &str) -> Bytes {
    raw::frame(&StreamPicksRequest { pick: Some(text(request_id)) })
}

fn patient(request_id: &str) -> Bytes {
    let max_wait = Some(prost_types::Duration { seconds: 60, nanos: 0 });
    raw::frame(&StreamPicksRequest { pick: Some(PickNodeRequest { max_wait, ..text(request_id) }) })
}

fn node(reply: &StreamPicksResponse) -> Option<&str> {
    let Some(stream_picks_response::Result::Decision(decision)) = &reply.result else { return None };
    assert_eq!(decision.request_id, reply.request_id);
    match &decision.outcome {
        Some(Outcome::Route(route)) => Some(&route.node_id),
        _ => None,
    }
}

#[tokio::test]
async fn messages_may_be_torn_anywhere_and_many_may_come_at_once() {
    let running = start(Policy::default()).await;
    let _node = Agent::of_idle_node(&running, "n1").await;
    let mut client = connect(&running, 65_535).await;
    for length in [1, 3, 5, 7, 60, 100_000] {
        let names: Vec<_> = (0..50).map(|number| format!("torn-{length}-{number}")).collect();
        let sent = names.iter().map(|name| asked(name)).collect::<Vec<_>>().concat();
        let (mut out, replies) = open(&mut client).await;
        for piece in sent.chunks(length) {
            out.send_data(Bytes::copy_from_slice(piece), false).expect("it is sent");
        }
        out.send_data(Bytes::new(), true).expect("it is sent");
        let (replies, ended) = heard(replies).await;
        assert_eq!(replies.iter().map(|reply| &reply.request_id).collect::<Vec<_>>(), Vec::from_iter(&names));
        assert!(replies.iter().all(|reply| node(reply) == Some("n1")));
        assert_eq!(ended.code(), Code::Ok);
    }
}

#[tokio::test]
async fn what_is_no_message_ends_its_stream_after_the_good_ones_and_the_connection_lives() {
    let running = start(Policy::default()).await;
    let _node = Agent::of_idle_node(&running, "n1").await;
    let mut client = connect(&running, 65_535).await;
    let good = asked("good");
    let flagged = |flag: u8| [&[flag][..], &good[1..]].concat();
    let garbage = [0, 0, 0, 0, 3, 0xff, 0xff, 0xff];
    let too_long = [0, 0xff, 0xff, 0xff, 0xff];
    for (wrong, code) in [
        (&flagged(1)[..], Code::Internal),
        (&flagged(2), Code::Internal),
        (&garbage, Code::Internal),
        (&too_long, Code::OutOfRange),
        (&good[..good.len() - 1], Code::Internal),
        (&good[..3], Code::Internal),
    ] {
        let (mut out, replies) = open(&mut client).await;
        out.send_data([&good, wrong].concat().into(), true).expect("it is sent");
        let (replies, ended) = heard(replies).await;
        assert_eq!(replies.iter().map(node).collect::<Vec<_>>(), [Some("n1")]);
        assert_eq!(ended.code(), code, "{wrong:?}: {ended:?}");
    }
    let nothing = open(&mut client).await;
    drop(nothing);
    let (mut out, replies) = open(&mut client).await;
    out.send_data(Bytes::new(), true).expect("it is sent");
    let (replies, ended) = heard(replies).await;
    assert_eq!((replies.len(), ended.code()), (0, Code::Ok));
}

#[tokio::test]
async fn a_stream_that_is_encoded_is_refused() {
    let running = start(Policy::default()).await;
    let mut client = connect(&running, 65_535).await;
    let encoded = [("grpc-encoding", "gzip")];
    let (response, _out) =
        raw::begin_with(&mut client, &raw::path("StreamPicks"), &encoded).expect("it is sent");
    let response = timeout(DEADLINE, response).await.expect("in time").expect("it is answered");
    let status = Status::from_header_map(response.headers()).expect("it is refused");
    assert_eq!(status.code(), Code::Unimplemented);
}

/// Waits until so many picks wait.
async fn waiting(running: &Running, count: usize) {
    let reached = async {
        while running.desk().waiting() != count {
            sleep(Duration::from_millis(1)).await;
        }
    };
    timeout(DEADLINE, reached).await.expect("in time");
}

#[tokio::test]
async fn picks_that_wait_let_others_pass_and_end_with_their_stream() {
    let running = start(Policy::default()).await;
    let mut client = connect(&running, 65_535).await;
    let (mut out, mut replies) = open(&mut client).await;
    out.send_data([patient("first"), patient("second"), asked("third")].concat().into(), false)
        .expect("it is sent");
    let reply = timeout(DEADLINE, replies.data()).await.expect("in time").expect("it comes").expect("whole");
    let reply = StreamPicksResponse::decode(&reply[5..]).expect("one reply");
    assert_eq!(reply.request_id, "third");
    waiting(&running, 2).await;
    out.send_reset(Reason::CANCEL);
    waiting(&running, 0).await;
}

/// As many are decided as fit into what may wait to be sent; the others once those are taken.
#[tokio::test]
async fn while_nobody_takes_replies_no_more_is_decided() {
    const PICKS: usize = 3_000;
    let running = start(Policy::default()).await;
    let _node = Agent::of_idle_node(&running, "n1").await;
    let mut client = connect(&running, 1_000).await;
    let (mut out, replies) = open(&mut client).await;
    let sent = (0..PICKS).map(|number| asked(&number.to_string())).collect::<Vec<_>>().concat();
    out.send_data(sent.into(), true).expect("it is sent");
    let decided = || running.desk().state.leases.live();
    let (mut before, mut calm) = (0, 0);
    while calm < 20 {
        sleep(Duration::from_millis(10)).await;
        let now = decided();
        calm = if now == before && now > 0 { calm + 1 } else { 0 };
        before = now;
    }
    assert!(before < PICKS / 2, "{before} were decided, and none taken");
    let (replies, ended) = heard(replies).await;
    assert_eq!((replies.len(), ended.code()), (PICKS, Code::Ok));
}
