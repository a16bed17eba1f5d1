//! How is a caller told what came of its call?

use std::{
    future::poll_fn,
    sync::LazyLock,
    task::{Context, Poll},
};

use h2::{Reason, SendStream, server::SendResponse};
use prost::bytes::Bytes;
use tonic::{
    Status,
    codegen::http::{HeaderMap, HeaderName, HeaderValue, Response, header::CONTENT_TYPE},
};
use tracing::debug;

/// What goes before a message.
static HEADERS: LazyLock<HeaderMap> = LazyLock::new(|| one(CONTENT_TYPE, "application/grpc"));
/// What goes after it: that it went well.
static TRAILERS: LazyLock<HeaderMap> = LazyLock::new(|| one(Status::GRPC_STATUS, "0"));

fn one(name: HeaderName, value: &'static str) -> HeaderMap {
    HeaderMap::from_iter([(name, HeaderValue::from_static(value))])
}

/// Who waits for the one reply to a call. Dropped untold, the call is reset.
#[derive(Debug)]
pub(super) struct Caller(pub(super) SendResponse<Bytes>);

impl Caller {
    /// Tells it the reply, a message with its prefix, or why there is none.
    pub(super) fn tell(mut self, reply: Result<Vec<u8>, Status>) {
        let told = match reply {
            Ok(message) => self.reply(message),
            Err(status) => self.0.send_response(status.into_http(), true).map(drop),
        };
        if let Err(gone) = told {
            debug!(%gone, "caller has gone untold");
        }
    }

    /// Tells it once that has come, if it still waits.
    pub(super) async fn tell_later(mut self, reply: impl Future<Output = Result<Vec<u8>, Status>>) {
        let reply = tokio::select! {
            biased;
            reply = reply => reply,
            () = gone(&mut self.0) => return debug!("caller has gone before the reply came"),
        };
        self.tell(reply);
    }

    fn reply(&mut self, message: Vec<u8>) -> Result<(), h2::Error> {
        let mut out = self.0.send_response(head(), false)?;
        out.send_data(message.into(), false)?;
        out.send_trailers(went_well())
    }
}

/// What goes before messages.
pub(super) fn head() -> Response<()> {
    let mut head = Response::new(());
    *head.headers_mut() = HEADERS.clone();
    head
}

/// What goes after messages where all went well.
pub(super) fn went_well() -> HeaderMap {
    TRAILERS.clone()
}

/// What goes after messages where not.
pub(super) fn went_wrong(status: &Status) -> HeaderMap {
    let mut trailers = HeaderMap::new();
    status.add_header(&mut trailers).expect("what a status says is encoded");
    trailers
}

/// Ends when a caller waits no longer: its call was reset, or its connection is gone.
pub(super) async fn gone(caller: &mut SendResponse<Bytes>) {
    let _reason = poll_fn(|cx| caller.poll_reset(cx)).await;
}

/// Fails where a caller waits no longer; else it is heard when it goes.
pub(super) fn waits(out: &mut SendStream<Bytes>, cx: &mut Context<'_>) -> Result<(), h2::Error> {
    match out.poll_reset(cx)? {
        Poll::Ready(reason) => Err(reason.into()),
        Poll::Pending => Ok(()),
    }
}

/// Waits until a caller takes something: while it does not, no more is made for it. Reserved only once there is something to
/// send, for what a silent stream reserves of a connection's window others lack.
pub(super) async fn room(out: &mut SendStream<Bytes>) -> Result<(), h2::Error> {
    out.reserve_capacity(1);
    while out.capacity() == 0 {
        match poll_fn(|cx| out.poll_capacity(cx)).await {
            Some(room) => drop(room?),
            None => return Err(Reason::CANCEL.into()),
        }
    }
    Ok(())
}
