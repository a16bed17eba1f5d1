//! Connections that say nothing take little.

use h2::Ping;
use tokio::task::JoinSet;

use crate::{process::Process, raw};

/// Bytes of one, ten thousand of which fit into 200 MiB.
const CONNECTION_MAX: u64 = (200 << 20) / 10_000;
/// By then what a service needs once is there.
const FIRST: u64 = 50;
const MORE: u64 = 500;

#[tokio::test]
async fn ten_thousand_idle_connections_would_fit_into_200_mib() {
    let service = Process::start(1024, "");
    let mut open = JoinSet::new();
    connect(&service, FIRST, &mut open).await;
    let before = service.resident();
    connect(&service, MORE, &mut open).await;
    let each = service.resident().saturating_sub(before) / MORE;
    assert!(open.try_join_next().is_none(), "the service closes none");
    assert!(each < CONNECTION_MAX, "{each} bytes for each");
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
