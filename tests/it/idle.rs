//! Connections that say nothing take little, and are asked whether anybody is there.

use std::time::Duration;

use h2::Ping;
use pointsman::{config::ServerConfig, domain::policy::Policy};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
    time::timeout,
};

use crate::{
    process::Process,
    raw,
    service::{DEADLINE, start_with},
};

/// Bytes of one, ten thousand of which fit into 200 MiB.
const CONNECTION_MAX: u64 = (200 << 20) / 10_000;
/// Few enough for huge pages, and too many. By then what a service needs once is there.
const FEW: u64 = 50;
const MANY: u64 = 300;
const MORE: u64 = 500;

#[tokio::test]
async fn ten_thousand_idle_connections_would_fit_into_200_mib() {
    let service = Process::start(1024, "");
    let mut open = JoinSet::new();
    connect(&service, MANY, &mut open).await;
    let before = service.resident();
    connect(&service, MORE, &mut open).await;
    let each = service.resident().saturating_sub(before) / MORE;
    assert!(open.try_join_next().is_none(), "the service closes none");
    assert!(each < CONNECTION_MAX, "{each} bytes for each");
}

/// Picks are quicker with huge pages, many connections take less with small ones.
#[tokio::test]
async fn memory_comes_in_huge_pages_until_there_are_many_connections_and_again_when_they_have_gone() {
    let service = Process::start(1024, "");
    let mut open = JoinSet::new();
    connect(&service, FEW, &mut open).await;
    let Some(huge) = service.huge_pages() else {
        return println!("skipped: this system does not tell which pages a process gets");
    };
    assert!(huge, "with {FEW}");
    connect(&service, MANY, &mut open).await;
    assert_eq!(service.huge_pages(), Some(false), "with {FEW} and {MANY}");
    open.shutdown().await;
    timeout(DEADLINE, async {
        while service.huge_pages() != Some(true) {
            // The size is chosen when one comes, and it takes a moment until the others have gone.
            connect(&service, 1, &mut JoinSet::new()).await;
        }
    })
    .await
    .expect("few are left");
}

/// Opens so many, each of which the service has greeted; each lives as long as its task.
async fn connect(service: &Process, count: u64, open: &mut JoinSet<()>) {
    for _ in 0..count {
        let (send, mut connection) = raw::connect(service.address()).await;
        let mut ping = connection.ping_pong().expect("nobody has taken it");
        open.spawn(async move {
            drop(connection.await);
            drop(send);
        });
        ping.ping(Ping::opaque()).await.expect("it answers");
    }
}

/// A silent connection is pinged. Who answers stays for as long as it likes, who does not is given up.
#[tokio::test]
async fn a_client_that_does_not_answer_pings_is_given_up_and_one_that_does_is_not() {
    const PING: u8 = 6;
    let short = Duration::from_millis(100);
    let config =
        ServerConfig { keepalive_interval: short, keepalive_timeout: short, ..ServerConfig::default() };
    let running = start_with(Policy::default(), config).await;
    let mut mute = TcpStream::connect(running.address()).await.expect("it accepts");
    mute.write_all(&raw::opening()).await.expect("it is sent");
    let (_send, mut answers) = raw::connect(running.address()).await;
    let mut heard = Vec::new();
    tokio::select! {
        ended = timeout(DEADLINE, mute.read_to_end(&mut heard)) => drop(ended.expect("it is given up in time")),
        ended = &mut answers => panic!("who answers stays: {ended:?}"),
    }
    assert!(raw::frames(&heard).contains(&PING), "{heard:?}");
    assert!(timeout(short * 5, answers).await.is_err(), "it stays");
}
