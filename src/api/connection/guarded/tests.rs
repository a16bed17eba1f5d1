use futures_util::FutureExt;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    time::timeout,
};

use super::*;

const SHORT: Duration = Duration::from_millis(50);
const LONG: Duration = Duration::from_hours(1);

/// The two ends of a connection; the server's is guarded, and held when the third says so.
async fn held_pair(preface_timeout: Duration, write_timeout: Duration) -> (Guarded, TcpStream, Hold) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it listens");
    let (client, accepted) = tokio::join!(TcpStream::connect(address), listener.accept());
    let (server, _) = accepted.expect("it comes");
    let hold = Hold::new(Instant::now());
    let server = Guarded::new(server, preface_timeout, write_timeout, hold.clone());
    (server, client.expect("it is let in"), hold)
}

/// The two ends of a connection; the server's is guarded.
async fn pair(preface_timeout: Duration, write_timeout: Duration) -> (Guarded, TcpStream) {
    let (server, client, _hold) = held_pair(preface_timeout, write_timeout).await;
    (server, client)
}

#[tokio::test]
async fn a_client_that_takes_nothing_is_given_up() {
    let (mut server, _deaf) = pair(LONG, SHORT).await;
    let ended = async {
        loop {
            if let Err(error) = server.write_all(&vec![0; 65_536]).await {
                return error;
            }
        }
    };
    let error = timeout(Duration::from_secs(20), ended).await.expect("it is given up");
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
}

/// Each pause is short; the deadline begins anew with each.
#[tokio::test]
async fn a_client_that_takes_a_little_now_and_then_is_kept() {
    const BYTES: usize = 16 * 1024 * 1024;
    let (mut server, mut slow) = pair(LONG, Duration::from_secs(5)).await;
    let reader = async {
        let (mut read, mut buffer) = (0, vec![0; BYTES / 20]);
        while read < BYTES {
            tokio::task::yield_now().await;
            read += slow.read(&mut buffer).await.expect("it goes on");
        }
    };
    let bytes = vec![0; BYTES];
    let (written, ()) = tokio::join!(server.write_all(&bytes), reader);
    written.expect("it is all written");
    assert!(server.stalled.is_none());
}

#[tokio::test]
async fn a_client_that_says_nothing_is_given_up_and_one_that_spoke_is_not() {
    let (mut silent, _client) = pair(SHORT, LONG).await;
    let error = silent.read(&mut [0; 64]).await.expect_err("it is given up");
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    let (mut server, mut client) = pair(SHORT, LONG).await;
    client.write_all(&[0; PREFACE_BYTES]).await.expect("it is sent");
    server.read_exact(&mut [0; PREFACE_BYTES]).await.expect("it comes");
    let more = timeout(SHORT * 4, server.read(&mut [0; 64])).await;
    assert!(more.is_err(), "it may be silent now");
}

#[tokio::test]
async fn a_socket_that_is_held_neither_reads_nor_writes() {
    let (mut server, mut client, hold) = held_pair(LONG, LONG).await;
    client.write_all(&[7]).await.expect("it is sent");
    server.io.readable().await.expect("it comes");
    hold.hold();
    let mut byte = [0];
    assert!(server.read(&mut byte).now_or_never().is_none());
    assert!(server.write(&[8]).now_or_never().is_none());
    hold.release();
    server.write_all(&[8]).await.expect("it is written");
    server.read_exact(&mut byte).await.expect("it is read");
    assert_eq!(byte, [7]);
}

/// HTTP/2 forgets what it has not handed out when it sees the end.
#[tokio::test]
async fn the_end_is_not_heard_before_all_that_was_said() {
    let (mut server, mut client, hold) = held_pair(LONG, LONG).await;
    client.write_all(&[0; PREFACE_BYTES + 1]).await.expect("it is sent");
    client.shutdown().await.expect("nothing more is said");
    server.read_exact(&mut [0; PREFACE_BYTES]).await.expect("it comes");
    server.read_exact(&mut [0]).await.expect("it comes");
    let mut rest = [0; 64];
    assert!(timeout(SHORT, server.read(&mut rest)).await.is_err(), "not yet");
    hold.settle();
    assert_eq!(server.read(&mut rest).await.expect("it ends well"), 0);
}
