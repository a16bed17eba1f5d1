//! Old connections are asked to go away, and nothing is lost.

use std::{future::poll_fn, net::SocketAddr, time::Duration};

use h2::Reason;
use pointsman::{
    config::ServerConfig,
    domain::policy::Policy,
    proto::{
        PickNodeRequest, ReportStatus, StreamPicksRequest, routing_service_client::RoutingServiceClient,
    },
};
use tokio::{task::JoinSet, time::timeout};
use tonic::{Code, Status};

use crate::{
    raw,
    service::{Agent, DEADLINE, channel, routing, start_with, text},
};

/// How old connections become here.
const AGE: Duration = Duration::from_millis(100);

fn aging() -> ServerConfig {
    ServerConfig { connection_age_max: AGE, ..ServerConfig::default() }
}

/// Each client asks one pick after the other, and connects again whenever it is told to go. What never left it (tonic's client
/// fails such a call with `CANCELLED`) or crossed the service's last word is asked again; what was looked at is answered.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_keeps_asking_is_reconnected_and_loses_no_pick() {
    const CONNECTIONS: usize = 5;
    let running = start_with(Policy::default(), aging()).await;
    let _agent = Agent::of_idle_node(&running, "n1").await;
    let mut clients = JoinSet::new();
    for client in 0..4 {
        let address = running.address();
        clients.spawn(async move {
            for connection in 0..CONNECTIONS {
                let asked = ask_until_told_to_go(address, &format!("{client}-{connection}")).await;
                assert!(asked > 0, "a connection is good for something");
            }
        });
    }
    let all = timeout(DEADLINE, clients.join_all()).await;
    all.expect("they are reconnected in time");
}

/// Asks for as long as a connection takes requests; returns how many.
async fn ask_until_told_to_go(address: SocketAddr, name: &str) -> usize {
    let (mut client, connection) = raw::connect(address).await;
    let connection = tokio::spawn(connection);
    let mut asked = 0;
    while poll_fn(|cx| client.poll_ready(cx)).await.is_ok() {
        let Ok((response, mut body)) = raw::begin(&mut client, &raw::path("PickNode")) else { break };
        body.send_data(raw::frame(&text(&format!("{name}-{asked}"))), true).expect("it is sent");
        let mut answer = match response.await {
            Ok(answer) => answer.into_body(),
            // It crossed the last word of the service, which says that it was not looked at: it may be asked again.
            Err(gone) if gone.is_go_away() && gone.reason() == Some(Reason::NO_ERROR) => break,
            Err(lost) => panic!("no pick is lost: {lost:?}"),
        };
        while let Some(bytes) = answer.data().await {
            bytes.expect("no pick is lost");
        }
        let trailers = answer.trailers().await.expect("no pick is lost").expect("a status");
        assert_eq!(Status::from_header_map(&trailers).map(|status| status.code()), Some(Code::Ok));
        asked += 1;
    }
    connection.await.expect("no panic").expect("it ends well");
    asked
}

/// A client that leaves when it is told: `GOAWAY` without a fault, and an end without one.
#[tokio::test]
async fn an_old_connection_is_told_to_go_away_and_ends_well() {
    let running = start_with(Policy::default(), aging()).await;
    let (mut send, connection) = raw::connect(running.address()).await;
    let connection = tokio::spawn(connection);
    let told = timeout(DEADLINE, poll_fn(|cx| send.poll_ready(cx))).await.expect("in time");
    told.expect("at first it takes requests");
    let ended = timeout(DEADLINE, connection).await.expect("it ends in time").expect("no panic");
    ended.expect("it ends well");
    let gone = poll_fn(|cx| send.poll_ready(cx)).await.expect_err("it takes no more requests");
    assert!(gone.is_go_away() && gone.reason() == Some(Reason::NO_ERROR), "{gone:?}");
}

/// A pick that waits longer than its connection lives is answered on it.
#[tokio::test]
async fn what_is_in_progress_on_an_old_connection_is_finished() {
    let running = start_with(Policy::default(), aging()).await;
    let max_wait = prost_types::Duration { seconds: 1, nanos: 0 };
    let patient = PickNodeRequest { max_wait: Some(max_wait), ..text("r1") };
    let mut client = routing(&running).await;
    client.pick_node(patient).await.expect("it is answered");
}

/// Streams would live for ever: they are ended, as at a stop.
#[tokio::test]
async fn streams_on_an_old_connection_are_asked_to_connect_again() {
    let running = start_with(Policy::default(), aging()).await;
    let mut agent = Agent::of_idle_node(&running, "n1").await;
    let word = agent.hear().await.expect("the stream goes on").expect("a last word");
    assert_eq!(word.status(), ReportStatus::Reconnect);
    assert!(agent.hear().await.expect("it ends well").is_none());
    let mut client = RoutingServiceClient::new(channel(running.address()).await);
    let silent = tokio_stream::pending::<StreamPicksRequest>();
    let mut answers = client.stream_picks(silent).await.expect("the stream opens").into_inner();
    let told = timeout(DEADLINE, answers.message()).await.expect("in time").expect_err("it is ended");
    assert_eq!(told.code(), Code::Unavailable);
}

/// Who does not go is cut off: here a call whose request never comes.
#[tokio::test]
async fn what_does_not_go_is_cut_off_after_its_grace() {
    let grace = Duration::from_millis(100);
    let running =
        start_with(Policy::default(), ServerConfig { connection_age_grace: grace, ..aging() }).await;
    let (send, connection) = raw::connect(running.address()).await;
    let connection = tokio::spawn(connection);
    let mut send = send.ready().await.expect("it takes requests");
    let (response, _body) = raw::begin(&mut send, &raw::path("PickNode")).expect("it is sent");
    assert!(timeout(DEADLINE, response).await.expect("in time").is_err(), "nobody asked anything");
    drop(timeout(DEADLINE, connection).await.expect("it is cut off in time"));
}

#[tokio::test]
async fn without_an_age_a_connection_is_not_told_to_go() {
    let stays = ServerConfig { connection_age_max: Duration::ZERO, ..ServerConfig::default() };
    let running = start_with(Policy::default(), stays).await;
    let (_send, connection) = raw::connect(running.address()).await;
    assert!(timeout(AGE * 3, connection).await.is_err(), "it stays");
}
