//! How is a caller told what came of its call?

use std::{future::poll_fn, sync::LazyLock};

use h2::server::SendResponse;
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

/// Who has called. Dropped untold, the call is reset.
#[derive(Debug)]
pub(super) struct Caller(pub(super) SendResponse<Bytes>);

impl Caller {
    /// Tells it the reply, a message with its prefix, or why there is none.
    pub(super) fn tell(mut self, reply: Result<Bytes, Status>) {
        let told = match reply {
            Ok(message) => self.reply(message),
            Err(status) => self.refuse(status),
        };
        if let Err(gone) = told {
            debug!(%gone, "caller has gone untold");
        }
    }

    /// Tells it once that has come, if it still waits.
    pub(super) async fn tell_later(mut self, reply: impl Future<Output = Result<Bytes, Status>>) {
        let reply = tokio::select! {
            biased;
            reply = reply => reply,
            () = gone(&mut self.0) => return debug!("caller has gone before the reply came"),
        };
        self.tell(reply);
    }

    fn reply(&mut self, message: Bytes) -> Result<(), h2::Error> {
        let mut head = Response::new(());
        *head.headers_mut() = HEADERS.clone();
        let mut out = self.0.send_response(head, false)?;
        out.send_data(message, false)?;
        out.send_trailers(TRAILERS.clone())
    }

    fn refuse(&mut self, status: Status) -> Result<(), h2::Error> {
        self.0.send_response(status.into_http(), true).map(drop)
    }
}

/// Ends when a caller waits no longer: its call was reset, or its connection is gone.
pub(super) async fn gone(caller: &mut SendResponse<Bytes>) {
    let _reason = poll_fn(|cx| caller.poll_reset(cx)).await;
}
