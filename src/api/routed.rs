//! How do calls go through tonic, and what comes of them back?
//!
//! All calls that have no short way of their own: tonic knows what to say of paths, encodings and streams.

use std::{
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll, ready},
};

use h2::{Reason, RecvStream, SendStream, server::SendResponse};
use http_body::{Body as HttpBody, Frame};
use prost::bytes::Bytes;
use tonic::{Status, body::Body, codegen::http::Response};
use tracing::debug;

use super::{
    caller::{gone, room, waits},
    message::taken_in,
};

/// What a caller sends.
pub(super) struct Sent(pub(super) RecvStream);

impl HttpBody for Sent {
    type Data = Bytes;
    type Error = h2::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, h2::Error>>> {
        Poll::Ready(match ready!(self.0.poll_data(cx)) {
            Some(Ok(piece)) => {
                taken_in(&mut self.0, piece.len());
                Some(Ok(Frame::data(piece)))
            }
            // To go is a way to end.
            Some(Err(error)) if matches!(error.reason(), Some(Reason::NO_ERROR | Reason::CANCEL)) => None,
            Some(Err(error)) => Some(Err(error)),
            // What callers say after their messages says nothing here.
            None => None,
        })
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }
}

/// Tells a caller the reply once that has come, and all of it as the caller takes it.
pub(super) async fn tell(
    mut caller: SendResponse<Bytes>,
    reply: impl Future<Output = Result<Response<Body>, Status>>,
) {
    let reply = tokio::select! {
        biased;
        reply = reply => reply.unwrap_or_else(Status::into_http),
        () = gone(&mut caller) => return debug!("caller has gone before the reply came"),
    };
    if let Err(gone) = send(reply, caller).await {
        debug!(%gone, "caller has gone");
    }
}

/// Sends all of a reply, as the caller takes it. An error means that the caller has gone.
pub(super) async fn send(reply: Response<Body>, mut caller: SendResponse<Bytes>) -> Result<(), h2::Error> {
    let (head, mut body) = reply.into_parts();
    let ends = body.is_end_stream();
    let mut out = caller.send_response(Response::from_parts(head, ()), ends)?;
    if ends {
        return Ok(());
    }
    while let Some(frame) = next(&mut body, &mut out).await? {
        match frame.into_data() {
            Ok(piece) => {
                room(&mut out).await?;
                out.send_data(piece, false)?;
            }
            Err(frame) => return out.send_trailers(frame.into_trailers().unwrap_or_default()),
        }
    }
    out.send_data(Bytes::new(), true)
}

/// The next of what is to be sent, while the caller waits for it.
async fn next(body: &mut Body, out: &mut SendStream<Bytes>) -> Result<Option<Frame<Bytes>>, h2::Error> {
    poll_fn(|cx| {
        waits(out, cx)?;
        // Bodies of tonic tell what went wrong in their trailers.
        Pin::new(&mut *body)
            .poll_frame(cx)
            .map(|frame| frame.transpose().or(Err(Reason::INTERNAL_ERROR.into())))
    })
    .await
}
