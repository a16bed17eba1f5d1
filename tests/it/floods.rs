//! Clients that take all they can get, and what that costs the service and the others.

use std::{
    future::poll_fn,
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use h2::client::{Builder, Connection, SendRequest};
use pointsman::proto::{
    ExplainPickRequest, PickNodeRequest, StreamPicksRequest, routing_service_client::RoutingServiceClient,
};
use prost::bytes::Bytes;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::{Instant, sleep, timeout},
};

use crate::{
    process::Process,
    raw,
    service::{DEADLINE, channel, text},
};

/// More than a test needs.
const FILES: u32 = 1024;
const MIB: u64 = 1024 * 1024;

/// A socket that nothing is read from once it is deaf.
struct Ear {
    io: TcpStream,
    deaf: Arc<AtomicBool>,
}

impl AsyncRead for Ear {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        // Its connection is polled again whenever it can write.
        if self.deaf.load(Ordering::Relaxed) {
            Poll::Pending
        } else {
            Pin::new(&mut self.io).poll_read(cx, buf)
        }
    }
}

impl AsyncWrite for Ear {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

/// A client that says it will take gigabytes, and takes nothing once `deaf`.
async fn connect_greedy(
    service: &Process,
    deaf: &Arc<AtomicBool>,
) -> (SendRequest<Bytes>, Connection<Ear, Bytes>) {
    const WINDOW: u32 = (1 << 31) - 1;
    let io = TcpStream::connect(service.address()).await.expect("it accepts");
    let ear = Ear { io, deaf: Arc::clone(deaf) };
    let mut builder = Builder::new();
    builder.initial_window_size(WINDOW).initial_connection_window_size(WINDOW);
    builder.handshake(ear).await.expect("it speaks HTTP/2")
}

/// Asks one pick over a connection of its own.
async fn pick(service: &Process) {
    let mut client = RoutingServiceClient::new(channel(service.address()).await);
    let answer = timeout(DEADLINE, client.pick_node(text("r1"))).await.expect("in time");
    answer.expect("others are served");
}

/// Picks of a few bytes whose replies are some thousand each, on many streams, none of which is read. What has piled up is bounded,
/// others are served, and then the connection is closed.
#[tokio::test]
async fn a_client_that_reads_nothing_gets_no_memory_and_is_closed() {
    const STREAMS: usize = 200;
    const PICKS: usize = 60;
    let service = Process::start(FILES, "send_buffer_bytes_max: 4096, write_timeout: 3s");
    pick(&service).await;
    let deaf = Arc::new(AtomicBool::new(false));
    let (client, connection) = connect_greedy(&service, &deaf).await;
    let connection = tokio::spawn(connection);
    let mut client = client.ready().await.expect("it takes requests");
    // With the reply come the windows of the service: from here on the client may send a mebibyte without reading.
    let (reply, mut out) = raw::begin(&mut client, &raw::path("StreamPicks")).expect("it is sent");
    out.send_data(Bytes::new(), true).expect("it is sent");
    reply.await.expect("it is answered");
    let bad = PickNodeRequest { excluded_node_ids: vec![" ".into(); 16], ..text("r1") };
    let asked = raw::frame(&StreamPicksRequest { pick: Some(bad) });
    let before = service.resident();
    deaf.store(true, Ordering::Relaxed);
    let mut open = Vec::new();
    for _ in 0..STREAMS {
        let (reply, mut out) = raw::begin(&mut client, &raw::path("StreamPicks")).expect("it is sent");
        out.send_data(asked.repeat(PICKS).into(), false).expect("it is sent");
        open.push((reply, out));
    }
    let (mut most, files) = (0, service.files());
    let closed = async {
        // What does not read does not see that it was closed either: its file shows it.
        while service.files() >= files {
            most = most.max(service.resident().saturating_sub(before));
            pick(&service).await;
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(DEADLINE, closed).await.expect("it is closed in time");
    eprintln!("{most} bytes more");
    assert!(most < 24 * MIB, "{most} bytes more");
    connection.abort();
}
