//! How is a stream of picks answered?
//!
//! Past tonic, as single picks are: messages are read where they lie, and the replies to those that came together go out
//! together. While the caller takes no replies, nothing more is read.

use std::{
    future::poll_fn,
    pin::{Pin, pin},
    task::{Context, Poll, ready},
};

use futures_util::Stream;
use h2::{RecvStream, SendStream, server::SendResponse};
use prost::bytes::{Buf, Bytes, BytesMut};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tonic::Status;
use tracing::debug;

use super::{
    caller,
    convert::reply::Fields,
    message::{decoded, frame, length},
    routing::{Come, Routing, lane},
    status,
};
use crate::proto::StreamPicksRequest;

/// Most picks of one stream that wait at once.
const WAITING_MAX: usize = 256;
/// Replies that go out together: the thread's other connections wait no longer than these take.
const REPLIES_BYTES: usize = 32 * 1024;

/// Answers until the caller has said all, or goes, or its connection leaves.
pub(super) async fn answer(
    routing: Routing,
    body: RecvStream,
    bytes_max: usize,
    caller: SendResponse<Bytes>,
    leaving: CancellationToken,
) {
    let left = Box::pin(leaving.clone().cancelled_owned());
    let asked = Messages { body, sent: BytesMut::new(), bytes_max, left, over: false };
    let answer = |asked: Result<_, Status>| match asked {
        Ok(asked) => routing.streamed(asked).map(Ok),
        Err(status) => Come::Now(Err(status)),
    };
    let answers = pin!(lane::answers(asked, answer, WAITING_MAX));
    if let Err(gone) = tell(answers, caller, &leaving).await {
        debug!(%gone, "caller of a stream has gone");
    }
}

/// Tells a caller the answers as they come.
async fn tell<F: Fields>(
    mut answers: Pin<&mut impl Stream<Item = Result<F, Status>>>,
    mut caller: SendResponse<Bytes>,
    leaving: &CancellationToken,
) -> Result<(), h2::Error> {
    let mut out = caller.send_response(caller::head(), false)?;
    loop {
        let (replies, ended) = next(answers.as_mut(), &mut out).await?;
        let is_full = replies.len() >= REPLIES_BYTES;
        if !replies.is_empty() {
            caller::room(&mut out).await?;
            out.send_data(replies.into(), false)?;
        }
        match ended {
            Some(Ok(())) if leaving.is_cancelled() => {
                return out.send_trailers(caller::went_wrong(&status::leaving()));
            }
            Some(Ok(())) => return out.send_trailers(caller::went_well()),
            Some(Err(status)) => return out.send_trailers(caller::went_wrong(&status)),
            None if is_full => tokio::task::yield_now().await,
            None => {}
        }
    }
}

/// Replies that are there, and how the answers end where they do.
type Replies = (Vec<u8>, Option<Result<(), Status>>);

/// The next replies, as many as go out together.
async fn next<F: Fields>(
    mut answers: Pin<&mut impl Stream<Item = Result<F, Status>>>,
    out: &mut SendStream<Bytes>,
) -> Result<Replies, h2::Error> {
    poll_fn(|cx| {
        if let Poll::Ready(reason) = out.poll_reset(cx)? {
            return Poll::Ready(Err(reason.into()));
        }
        let mut replies = Vec::new();
        while replies.len() < REPLIES_BYTES {
            match answers.as_mut().poll_next(cx) {
                Poll::Ready(Some(Ok(answer))) => frame(&mut replies, &answer),
                Poll::Ready(Some(Err(status))) => return Poll::Ready(Ok((replies, Some(Err(status))))),
                Poll::Ready(None) => return Poll::Ready(Ok((replies, Some(Ok(()))))),
                Poll::Pending => break,
            }
        }
        if replies.is_empty() { Poll::Pending } else { Poll::Ready(Ok((replies, None))) }
    })
    .await
}

/// What a caller sends, message by message.
struct Messages {
    body: RecvStream,
    /// What has come and was not read.
    sent: BytesMut,
    bytes_max: usize,
    left: Pin<Box<WaitForCancellationFutureOwned>>,
    /// Whether nothing more will be read.
    over: bool,
}

impl Messages {
    /// The next message, if all of it has come.
    fn read(&mut self) -> Result<Option<StreamPicksRequest>, Status> {
        let length = length(&self.sent, self.bytes_max)?;
        let Some(length) = length.filter(|length| *length <= self.sent.len()) else { return Ok(None) };
        let message = decoded(&self.sent[..length])?;
        self.sent.advance(length);
        Ok(Some(message))
    }

    fn take(&mut self, piece: &[u8]) {
        self.sent.extend_from_slice(piece);
        // As many more may come. The call may be over: then none will.
        let _ = self.body.flow_control().release_capacity(piece.len());
    }

    /// All was said, and the last message whole.
    fn end(&self) -> Option<Result<StreamPicksRequest, Status>> {
        (!self.sent.is_empty()).then(|| Err(Status::internal("the stream ends within a message")))
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<StreamPicksRequest, Status>>> {
        loop {
            if let Some(message) = self.read().transpose() {
                return Poll::Ready(Some(message));
            }
            // What was received before is still answered.
            if self.left.as_mut().poll(cx).is_ready() {
                return Poll::Ready(None);
            }
            match ready!(self.body.poll_data(cx)) {
                Some(Ok(piece)) => self.take(&piece),
                // Who goes is told nothing.
                Some(Err(_gone)) => return Poll::Ready(None),
                None => return Poll::Ready(self.end()),
            }
        }
    }
}

impl Stream for Messages {
    type Item = Result<StreamPicksRequest, Status>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.over {
            return Poll::Ready(None);
        }
        let message = ready!(self.poll(cx));
        self.over = !matches!(message, Some(Ok(_)));
        Poll::Ready(message)
    }
}
