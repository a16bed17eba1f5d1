use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use super::*;

const SHORT: Duration = Duration::from_millis(50);
const LONG: Duration = Duration::from_hours(1);

/// The two ends of a connection; the server's is guarded.
async fn pair(preface_timeout: Duration, write_timeout: Duration) -> (Guarded, TcpStream) {
    pair_behind(preface_timeout, write_timeout, Backlog::default()).await
}

/// The same; the server's end is read while so much does not wait.
async fn pair_behind(
    preface_timeout: Duration,
    write_timeout: Duration,
    backlog: Backlog,
) -> (Guarded, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it listens");
    let (client, accepted) = tokio::join!(TcpStream::connect(address), listener.accept());
    let (server, _) = accepted.expect("it comes");
    (Guarded::new(server, preface_timeout, write_timeout, backlog), client.expect("it is let in"))
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
    let error = tokio::time::timeout(Duration::from_secs(20), ended).await.expect("it is given up");
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
    let more = tokio::time::timeout(SHORT * 4, server.read(&mut [0; 64])).await;
    assert!(more.is_err(), "it may be silent now");
}

#[tokio::test]
async fn a_client_is_not_read_while_too_many_calls_wait() {
    let backlog = Backlog::default();
    let (mut server, mut client) = pair_behind(LONG, LONG, backlog.clone()).await;
    client.write_all(b"more").await.expect("it is sent");
    let calls = backlog.full();
    let mut read = [0; 4];
    let held = tokio::time::timeout(SHORT, server.read_exact(&mut read)).await;
    assert!(held.is_err(), "it stays where it is");
    drop(calls);
    server.read_exact(&mut read).await.expect("it is read as soon as they do not");
    assert_eq!(&read, b"more");
}
