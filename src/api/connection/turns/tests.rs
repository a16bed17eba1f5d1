use std::{cell::RefCell, future::poll_fn, time::Duration};

use h2::client;
use tokio::{
    io::{AsyncWriteExt, Interest},
    net::{TcpListener, TcpStream},
    time::{Instant, timeout},
};
use tonic::codegen::http::Response;

use super::*;

const LONG: Duration = Duration::from_secs(20);

/// A client's end, and that of the server before it has said anything.
async fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it listens");
    let (client, accepted) = tokio::join!(TcpStream::connect(address), listener.accept());
    (client.expect("it is let in"), accepted.expect("it comes").0)
}

async fn turns<A: FnMut(Call)>(io: TcpStream, answer: A) -> Turns<A> {
    let hold = Hold::new(Instant::now());
    let io = Guarded::new(io, LONG, LONG, hold.clone());
    let connection = h2::server::handshake(io).await.expect("it speaks HTTP/2");
    Turns { connection, hold, answer }
}

/// What a client sends that opens so many streams and waits for nothing: the preface, settings, and headers that end each.
fn calls(count: u32) -> Vec<u8> {
    let settings = [0, 0, 0, 4, 0, 0, 0, 0, 0];
    let mut bytes = [&b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..], &settings].concat();
    for stream in (1..2 * count).step_by(2) {
        bytes.extend([0, 0, 3, 1, 5]);
        bytes.extend(stream.to_be_bytes());
        // POST, http, /.
        bytes.extend([0x83, 0x86, 0x84]);
    }
    bytes
}

/// Says all of it, and nothing more; returns when the server's end knows that too.
async fn say(client: &mut TcpStream, server: &TcpStream, bytes: &[u8]) {
    client.write_all(bytes).await.expect("it is sent");
    client.shutdown().await.expect("nothing more is said");
    while !server.ready(Interest::READABLE).await.expect("it comes").is_read_closed() {
        tokio::task::yield_now().await;
    }
}

fn reply((_request, mut caller): Call) {
    // Who has gone is told nothing.
    let _ = caller.send_response(Response::new(()), true);
}

#[tokio::test]
async fn what_was_said_before_the_end_is_heard() {
    let (mut client, server) = pair().await;
    say(&mut client, &server, &calls(3)).await;
    let heard = RefCell::new(0);
    let mut turns = turns(server, |call| {
        *heard.borrow_mut() += 1;
        reply(call);
    })
    .await;
    timeout(LONG, turns.end(std::future::pending())).await.expect("in time").expect("it ends well");
    assert_eq!(heard.take(), 3);
}

#[tokio::test]
async fn a_turn_answers_so_many_calls_and_gives_way() {
    const CALLS: usize = 2 * CALLS_A_TURN - 1;
    let (mut client, server) = pair().await;
    say(&mut client, &server, &calls(u32::try_from(CALLS).expect("few"))).await;
    let heard = RefCell::new(0);
    let mut turns = turns(server, |call| {
        *heard.borrow_mut() += 1;
        reply(call);
    })
    .await;
    let mut each = Vec::new();
    let ended = poll_fn(|cx| {
        let ended = turns.poll(cx);
        each.extend(Some(heard.take()).filter(|answered| *answered > 0));
        ended
    });
    timeout(LONG, ended).await.expect("in time").expect("it ends well");
    assert_eq!(each.iter().sum::<usize>(), CALLS);
    assert_eq!(each[0], CALLS_A_TURN, "{each:?}");
}

#[tokio::test]
async fn a_call_that_panics_ends_alone() {
    let (client, server) = pair().await;
    let served = async {
        let turns = turns(server, |call| {
            assert!(call.0.uri().path() != "/wrong", "on purpose");
            reply(call);
        });
        turns.await.end(std::future::pending()).await
    };
    let asked = async {
        let (mut send, connection) = client::handshake(client).await.expect("it speaks HTTP/2");
        let ask = |path| Request::post(format!("http://pointsman{path}")).body(()).expect("a request");
        let asked = async move {
            let (wrong, _) = send.send_request(ask("/wrong"), true).expect("it is sent");
            let (right, _) = send.send_request(ask("/right"), true).expect("it is sent");
            assert_eq!(wrong.await.expect_err("it is reset").reason(), Some(Reason::CANCEL));
            assert!(right.await.expect("it is answered").status().is_success());
        };
        tokio::join!(asked, connection).1
    };
    let (served, asked) = timeout(LONG, async { tokio::join!(served, asked) }).await.expect("in time");
    served.expect("it ends well");
    asked.expect("it ends well");
}
