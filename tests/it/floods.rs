//! Clients that take all they can get, and what that costs the service and the others.

use std::{
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
use pointsman::proto::{PickNodeRequest, StreamPicksRequest, routing_service_client::RoutingServiceClient};
use prost::bytes::Bytes;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf},
    net::TcpStream,
    time::{Instant, sleep, timeout},
};
use tonic::Request;

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
    const STREAMS: usize = 40;
    const PICKS: usize = 400;
    let service = Process::start(FILES, "write_timeout: 3s, keepalive_interval: 1h");
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
    assert!(most < 20 * MIB, "{most} bytes more; with buffers of 400 KiB a stream it is 38 MiB");
    connection.abort();
}

/// Out of descriptors, the service neither spins nor fails those who are connected, says so now and then, and recovers.
#[tokio::test]
async fn without_descriptors_those_who_are_connected_are_served_and_no_processor_burns() {
    const FILES: u32 = 64;
    const WATCHED: Duration = Duration::from_secs(2);
    let service = Process::start(FILES, "preface_timeout: 1h");
    let mut kept = RoutingServiceClient::new(channel(service.address()).await);
    kept.pick_node(text("r1")).await.expect("it is let in");
    let mut crowd = Vec::new();
    for _ in 0..2 * FILES {
        crowd.push(TcpStream::connect(service.address()).await.expect("the system takes it"));
    }
    let full = async {
        while service.told("cannot accept connections") == 0 {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(DEADLINE, full).await.expect("the limit is reached");
    let (started, before) = (Instant::now(), service.ticks());
    while started.elapsed() < WATCHED {
        kept.pick_node(text("r1")).await.expect("it is served");
        sleep(Duration::from_millis(100)).await;
    }
    let burnt = service.ticks() - before;
    assert!(burnt <= 20, "{burnt} hundredths of a second in {WATCHED:?}");
    let told = service.told("cannot accept connections");
    assert!(told <= 6, "{told} lines in {:?}", started.elapsed());
    drop(crowd);
    pick(&service).await;
}

/// One line a second, with how many were closed without one.
#[tokio::test]
async fn a_flood_of_connections_is_no_flood_of_the_log() {
    let service = Process::start(FILES, "connections_max: 1");
    let mut kept = RoutingServiceClient::new(channel(service.address()).await);
    kept.pick_node(text("r1")).await.expect("it is let in");
    let started = Instant::now();
    for _ in 0..500 {
        let mut extra = TcpStream::connect(service.address()).await.expect("the system takes it");
        let closed = timeout(DEADLINE, extra.read(&mut [0])).await.expect("it is closed in time");
        assert!(matches!(closed, Ok(0) | Err(_)));
    }
    let seconds = usize::try_from(started.elapsed().as_secs()).expect("a few");
    kept.pick_node(text("r1")).await.expect("it is served");
    let told = service.told("connection closed: `server.connections_max` are open");
    assert!((1..=seconds + 1).contains(&told), "{told} lines in {seconds} seconds");
}

/// A stream that is opened and reset at once costs the client nothing: with many of them its connection ends.
#[tokio::test]
async fn a_flood_of_resets_ends_its_connection() {
    const ENHANCE_YOUR_CALM: u32 = 11;
    let service = Process::start(FILES, "");
    let mut client = TcpStream::connect(service.address()).await.expect("it accepts");
    client.write_all(&resets(1_000)).await.expect("it is sent");
    let code = timeout(DEADLINE, told_to_go(&mut client)).await.expect("it is ended in time");
    assert_eq!(code, ENHANCE_YOUR_CALM);
    pick(&service).await;
}

/// Callers whose time passed while the service was busy: all of a connection's at once.
#[tokio::test]
async fn a_connection_whose_every_stream_was_reset_at_once_lives() {
    let service = Process::start(FILES, "");
    let mut flood = resets(256);
    flood.extend(raw::http2_frame(6, 0, 0, b"you here"));
    let mut client = TcpStream::connect(service.address()).await.expect("it accepts");
    client.write_all(&flood).await.expect("it is sent");
    let heard = async {
        let mut heard = Vec::new();
        while !heard.ends_with(b"you here") {
            heard.push(client.read_u8().await.expect("the connection lives"));
        }
    };
    timeout(DEADLINE, heard).await.expect("the ping is answered in time");
}

/// So many streams, each opened and reset.
fn resets(count: u32) -> Vec<u8> {
    let mut flood = raw::opening();
    for stream in (1..2 * count).step_by(2) {
        // POST, http, /; no more headers, no body.
        flood.extend(raw::http2_frame(1, 5, stream, &[0x83, 0x86, 0x84]));
        flood.extend(raw::http2_frame(3, 0, stream, &[0, 0, 0, 8]));
    }
    flood
}

/// The reason of the first `GOAWAY` that comes.
async fn told_to_go(client: &mut TcpStream) -> u32 {
    const GOAWAY: u8 = 7;
    loop {
        let mut head = [0; 9];
        client.read_exact(&mut head).await.expect("a frame");
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut frame = vec![0; length as usize];
        client.read_exact(&mut frame).await.expect("a frame");
        if head[3] == GOAWAY {
            return u32::from_be_bytes(frame[4..8].try_into().expect("four bytes"));
        }
    }
}

#[tokio::test]
async fn headers_that_are_too_long_are_refused_and_the_connection_lives() {
    let service = Process::start(FILES, "");
    let mut client = RoutingServiceClient::new(channel(service.address()).await);
    let headed = |bytes: usize| {
        let mut request = Request::new(text("r1"));
        request.metadata_mut().insert("x-long", "x".repeat(bytes).parse().expect("a value"));
        request
    };
    client.pick_node(headed(7_000)).await.expect("they are taken");
    client.pick_node(headed(9_000)).await.expect_err("they are too long");
    client.pick_node(headed(7_000)).await.expect("the connection lives");
}
