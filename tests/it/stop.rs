//! How the service stops, and what it tells while it does.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use pointsman::{
    config::ServerConfig,
    domain::policy::Policy,
    proto::{PickNodeRequest, RejectionReason, ReportStatus},
};
use tokio::{io::AsyncReadExt, net::TcpStream, time::timeout};
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};

use crate::service::{Agent, DEADLINE, channel, rejection, routing, start, start_with, text};

const NAMES: [&str; 7] = [
    "",
    "readiness",
    "pointsman.v1.RoutingService",
    "pointsman.v1.LoadService",
    "pointsman.v1.NodeService",
    "pointsman.v1.AnswerService",
    "pointsman.v1.LimitService",
];

fn asking(service: &str) -> HealthCheckRequest {
    HealthCheckRequest { service: service.into() }
}

#[tokio::test]
async fn health_is_told_by_check_and_watch() {
    let running = start(Policy::default()).await;
    let mut health = HealthClient::new(channel(running.address()).await);
    for name in NAMES.into_iter().chain(["liveness"]) {
        let status = health.check(asking(name)).await.expect("it is known").into_inner();
        assert_eq!(status.status(), ServingStatus::Serving, "of `{name}`");
    }
    let mut watch = health.watch(asking("readiness")).await.expect("it is known").into_inner();
    let first = watch.message().await.expect("it tells").expect("at once");
    assert_eq!(first.status(), ServingStatus::Serving);
    running.stop();
    let next =
        timeout(DEADLINE, watch.message()).await.expect("in time").expect("it tells").expect("the change");
    assert_eq!(next.status(), ServingStatus::NotServing);
    assert!(health.check(asking("nobody")).await.is_err());
}

/// Callers that leave when health says so lose nothing, and a connection that says nothing does not hold up the stop.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stopping_under_load_loses_no_pick() {
    let config = ServerConfig {
        drain_delay: Duration::from_secs(2),
        drain_grace: Duration::from_millis(500),
        ..ServerConfig::default()
    };
    let mut running = start_with(Policy::default(), config).await;
    let mut agent = Agent::of_idle_node(&running, "n1").await;
    let mut silent = TcpStream::connect(running.address()).await.expect("it accepts");
    let leave = Arc::new(AtomicBool::new(false));
    let answered = Arc::new(AtomicU64::new(0));
    let mut callers = Vec::new();
    for caller in 0..4 {
        let (mut client, leave, answered) = (routing(&running).await, leave.clone(), answered.clone());
        callers.push(tokio::spawn(async move {
            let mut asked = 0;
            while !leave.load(Ordering::Relaxed) {
                client.pick_node(text(&format!("{caller}-{asked}"))).await.expect("no pick is lost");
                answered.fetch_add(1, Ordering::Relaxed);
                asked += 1;
            }
        }));
    }
    let mut health = HealthClient::new(channel(running.address()).await);
    let mut watch = health.watch(asking("readiness")).await.expect("it is known").into_inner();
    reaches(&answered, 20).await;
    running.stop();
    let mut told = watch.message().await;
    while told.expect("it tells").expect("a change").status() == ServingStatus::Serving {
        told = timeout(DEADLINE, watch.message()).await.expect("a change in time");
    }
    let at_stop = answered.load(Ordering::Relaxed);
    reaches(&answered, at_stop + 20).await;
    leave.store(true, Ordering::Relaxed);
    for caller in callers {
        caller.await.expect("no pick is lost");
    }
    let word = agent.hear().await.expect("the stream goes on").expect("a last word");
    assert_eq!(word.status(), ReportStatus::Reconnect);
    assert!(agent.hear().await.expect("it ends well").is_none());
    timeout(DEADLINE, running.ended()).await.expect("it stops in time").expect("it stops well");
    let mut nothing = [0; 1];
    let _ = timeout(DEADLINE, silent.read(&mut nothing)).await.expect("the silent connection is closed");
}

/// Waits until so many picks are answered.
async fn reaches(answered: &AtomicU64, count: u64) {
    let reached = async {
        while answered.load(Ordering::Relaxed) < count {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    timeout(DEADLINE, reached).await.expect("picks are answered");
}

/// A connection on which no HTTP/2 comes is closed after the time it is given.
#[tokio::test]
async fn a_connection_that_says_nothing_is_closed() {
    let config = ServerConfig { preface_timeout: Duration::from_millis(100), ..ServerConfig::default() };
    let running = start_with(Policy::default(), config).await;
    let mut silent = TcpStream::connect(running.address()).await.expect("it accepts");
    let mut rest = Vec::new();
    let closed = timeout(DEADLINE, silent.read_to_end(&mut rest)).await;
    let _ = closed.expect("it is closed in time");
}

#[tokio::test]
async fn more_connections_than_allowed_are_closed() {
    let config = ServerConfig { connections_max: 1, ..ServerConfig::default() };
    let running = start_with(Policy::default(), config).await;
    let mut kept = routing(&running).await;
    kept.pick_node(text("r1")).await.expect("it is let in");
    let mut extra = TcpStream::connect(running.address()).await.expect("the kernel accepts");
    let read = timeout(DEADLINE, extra.read(&mut [0; 1])).await.expect("it is closed in time");
    assert!(matches!(read, Ok(0) | Err(_)));
    drop(kept);
}

/// A pick that would wait for a minute is answered when the service leaves.
#[tokio::test]
async fn a_waiting_pick_is_answered_when_the_service_leaves() {
    let mut running = start(Policy::default()).await;
    let mut client = routing(&running).await;
    let patient =
        PickNodeRequest { max_wait: Some(prost_types::Duration { seconds: 60, nanos: 0 }), ..text("r1") };
    let waiting = tokio::spawn(async move { client.pick_node(patient).await });
    let waits = async {
        while running.desk().waiting() == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    timeout(DEADLINE, waits).await.expect("the pick waits");
    running.stop();
    let answer =
        timeout(DEADLINE, waiting).await.expect("in time").expect("no panic").expect("it is answered");
    assert_eq!(rejection(answer.into_inner()).reason(), RejectionReason::NoNodes);
    timeout(DEADLINE, running.ended()).await.expect("it stops in time").expect("it stops well");
}

/// Who watches health does not leave by itself: the watch must be ended, or the stop takes all its grace.
#[tokio::test]
async fn a_watch_does_not_hold_up_the_stop() {
    let config = ServerConfig {
        drain_delay: Duration::from_millis(50),
        drain_grace: Duration::from_hours(1),
        ..ServerConfig::default()
    };
    let mut running = start_with(Policy::default(), config).await;
    let mut health = HealthClient::new(channel(running.address()).await);
    let mut watch = health.watch(asking("readiness")).await.expect("it is known").into_inner();
    drop(health);
    watch.message().await.expect("it tells").expect("at once");
    running.stop();
    timeout(DEADLINE, running.ended()).await.expect("it stops in time").expect("it stops well");
}

/// A connection that neither speaks nor goes is cut off after the grace.
#[tokio::test]
async fn what_does_not_leave_is_cut_off() {
    let config = ServerConfig {
        preface_timeout: Duration::from_hours(1),
        drain_delay: Duration::from_millis(50),
        drain_grace: Duration::from_millis(100),
        ..ServerConfig::default()
    };
    let mut running = start_with(Policy::default(), config).await;
    let _silent = TcpStream::connect(running.address()).await.expect("it accepts");
    routing(&running).await.pick_node(text("r1")).await.expect("the silent one was accepted before");
    running.stop();
    timeout(DEADLINE, running.ended()).await.expect("it stops in time").expect("it stops well");
}
