//! How does the load generator speak gRPC?
//!
//! Over `h2` directly: a tonic client costs as much as the server, so that on two cores the client would be what is
//! measured.

use std::{future::poll_fn, net::SocketAddr};

use h2::{
    RecvStream, SendStream,
    client::{Builder, ResponseFuture, SendRequest},
};
use prost::bytes::{Buf, Bytes, BytesMut};
use tokio::{net::TcpStream, task::JoinSet};
use tonic::codegen::http::{HeaderMap, Request};

use super::{case::Call, said::Failure};

/// Bytes before a gRPC message: whether it is compressed, and its length.
const PREFIX: usize = 5;
/// Where a call says how it went.
const STATUS: &str = "grpc-status";
/// So much may come before the generator has read.
const WINDOW: u32 = 1 << 20;

/// A connection, and the request that is made over it.
#[derive(Clone)]
pub(crate) struct Link {
    send: SendRequest<Bytes>,
    request: Request<()>,
}

/// A call that has begun: what is sent and what will come.
pub(crate) struct Begun {
    /// Where messages go.
    pub(crate) out: SendStream<Bytes>,
    response: ResponseFuture,
}

/// Messages of a reply, cut from what has come of it.
pub(crate) struct Messages {
    body: RecvStream,
    rest: BytesMut,
}

impl Link {
    /// Connects; the connection lives as long as the tasks.
    pub(crate) async fn connect(
        address: SocketAddr,
        call: Call,
        tasks: &mut JoinSet<()>,
    ) -> Result<Self, Failure> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (send, connection) = Builder::new()
            .initial_window_size(WINDOW)
            .initial_connection_window_size(WINDOW)
            .handshake::<_, Bytes>(stream)
            .await?;
        // How it ends shows in the calls.
        tasks.spawn(async move { drop(connection.await) });
        let method = match call {
            Call::Unary => "PickNode",
            Call::Stream => "StreamPicks",
            Call::Batch(_) => "BatchPickNodes",
        };
        let request = Request::post(format!("http://{address}/pointsman.v1.RoutingService/{method}"))
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .body(())?;
        Ok(Self { send, request })
    }

    /// Begins a call.
    pub(crate) async fn begin(&mut self) -> Result<Begun, Failure> {
        poll_fn(|cx| self.send.poll_ready(cx)).await?;
        let (response, out) = self.send.send_request(self.request.clone(), false)?;
        Ok(Begun { out, response })
    }

    /// Asks once and returns the one message of the reply.
    pub(crate) async fn ask(&mut self, frame: Bytes) -> Result<Bytes, Failure> {
        let mut begun = self.begin().await?;
        begun.out.send_data(frame, true)?;
        let (_, mut messages) = begun.split().await?;
        let message = messages.next().await?.ok_or("a reply without a message")?;
        match messages.next().await? {
            None => Ok(message),
            Some(_) => Err("a reply of two messages".into()),
        }
    }
}

impl Begun {
    /// Both directions, once the reply begins.
    pub(crate) async fn split(self) -> Result<(SendStream<Bytes>, Messages), Failure> {
        let (head, body) = self.response.await?.into_parts();
        // An error comes without a body and says its status here; a good reply says it at its end.
        if head.headers.contains_key(STATUS) {
            return Err(refusal(&head.headers));
        }
        Ok((self.out, Messages { body, rest: BytesMut::new() }))
    }
}

impl Messages {
    /// The next message; `None` at a good end.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, Failure> {
        loop {
            if let Some(message) = self.complete() {
                return Ok(Some(message));
            }
            if !self.read().await? {
                let trailers = self.body.trailers().await?.unwrap_or_default();
                let went_well = trailers.get(STATUS).is_some_and(|status| status == "0");
                return if went_well { Ok(None) } else { Err(refusal(&trailers)) };
            }
        }
    }

    /// The next message, if all of it has come.
    pub(crate) fn complete(&mut self) -> Option<Bytes> {
        let mut prefix = self.rest.get(..PREFIX)?;
        prefix.advance(1);
        let length = prefix.get_u32() as usize;
        self.rest.get(..PREFIX + length)?;
        self.rest.advance(PREFIX);
        Some(self.rest.split_to(length).freeze())
    }

    async fn read(&mut self) -> Result<bool, Failure> {
        let Some(chunk) = self.body.data().await.transpose()? else { return Ok(false) };
        self.body.flow_control().release_capacity(chunk.len())?;
        self.rest.extend_from_slice(&chunk);
        Ok(true)
    }
}

fn refusal(headers: &HeaderMap) -> Failure {
    format!("status {:?}: {:?}", headers.get(STATUS), headers.get("grpc-message")).into()
}
