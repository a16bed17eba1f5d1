use h2::client;
use tokio::{io::duplex, time::timeout};
use tonic::{
    Code,
    codegen::http::{HeaderMap, Request},
};

use super::*;

const PATIENCE: Duration = Duration::from_secs(5);

/// Says each message again, until one is empty; waits so long for the first.
struct Echo {
    over: bool,
}

impl Talk for Echo {
    fn answer(&mut self, message: &[u8]) -> Result<Answer, Status> {
        self.over = message.is_empty();
        Ok(Come::Now(Ok(framed(message))))
    }

    fn patience(&self) -> Option<(Duration, Status)> {
        Some((PATIENCE, Status::deadline_exceeded("nothing came")))
    }

    fn is_over(&self) -> bool {
        self.over
    }

    fn end(_: bool) -> Result<(), Status> {
        Ok(())
    }
}

fn framed(message: &[u8]) -> Vec<u8> {
    let length = u8::try_from(message.len()).expect("it is short");
    [&[0, 0, 0, 0, length], message].concat()
}

/// What a client hears that says each of these after so long and then nothing more: bytes, and how it ended. In time, by the
/// paused clock: what never ends fails at once.
async fn heard(said: &[(Duration, Vec<u8>)]) -> (Vec<u8>, HeaderMap) {
    let (near, far) = duplex(1 << 16);
    let server = async {
        let mut connection = h2::server::handshake(far).await.expect("it speaks HTTP/2");
        let (request, caller) = connection.accept().await.expect("a call").expect("it is well-formed");
        let leaving = CancellationToken::new();
        let answered = answer(Echo { over: false }, request.into_body(), 100, caller, leaving);
        // The connection is served until the client has gone.
        tokio::join!(answered, async { while connection.accept().await.is_some() {} });
    };
    let client = async {
        let (mut send, connection) = client::handshake(near).await.expect("it speaks HTTP/2");
        let request = Request::post("http://pointsman/").body(()).expect("a request");
        let (reply, mut out) = send.send_request(request, false).expect("it is sent");
        drop(send);
        let talk = async move {
            for (after, bytes) in said {
                sleep(*after).await;
                out.send_data(bytes.clone().into(), false).expect("it is sent");
            }
            let mut body = reply.await.expect("it is answered").into_body();
            let mut bytes = Vec::new();
            while let Some(piece) = body.data().await {
                bytes.extend(piece.expect("it comes"));
            }
            (bytes, body.trailers().await.expect("they come").expect("how it ended"))
        };
        tokio::join!(talk, connection).0
    };
    timeout(100 * PATIENCE, async { tokio::join!(client, server).0 }).await.expect("it ends")
}

#[tokio::test(start_paused = true)]
async fn who_says_nothing_in_time_is_told_so() {
    let (bytes, ended) = heard(&[]).await;
    let status = Status::from_header_map(&ended).expect("a status");
    assert_eq!((bytes.len(), status.code(), status.message()), (0, Code::DeadlineExceeded, "nothing came"));
}

#[tokio::test(start_paused = true)]
async fn after_the_first_message_the_next_may_take_its_time_and_after_the_last_none_is_heard() {
    let whole = [framed(b"c"), framed(b""), framed(b"d")].concat();
    let said =
        [(PATIENCE / 2, framed(b"a")), (20 * PATIENCE, framed(b"b")), (Duration::from_millis(1), whole)];
    let (bytes, ended) = heard(&said).await;
    assert_eq!(bytes, [framed(b"a"), framed(b"b"), framed(b"c"), framed(b"")].concat());
    assert_eq!(ended["grpc-status"], "0");
}
