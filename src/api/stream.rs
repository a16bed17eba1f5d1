//! How are the messages of a stream answered?
//!
//! Past tonic, as single picks are: messages are read where they lie, and the replies to those that came together go out
//! together. While the caller takes no replies, nothing more is read.

use std::{
    future::poll_fn,
    pin::{Pin, pin},
    task::{Context, Poll, ready},
    time::Duration,
};

use futures_util::Stream;
use h2::{RecvStream, SendStream, server::SendResponse};
use prost::bytes::{Buf, Bytes, BytesMut};
use tokio::time::{Sleep, sleep};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tonic::Status;
use tracing::debug;

use super::{
    caller,
    lane::{self, Come},
    message::{PREFIX_BYTES, length, taken_in},
};

/// Most messages of one stream whose answers wait at once.
const WAITING_MAX: usize = 256;
/// Replies that go out together: the thread's other connections wait no longer than these take.
const REPLIES_BYTES: usize = 32 * 1024;

/// What comes of a message; a status ends the stream.
pub(super) type Answer = Come<Result<Vec<u8>, Status>>;

/// Who answers the messages of one stream.
pub(super) trait Talk: Unpin {
    /// What comes of a message.
    fn answer(&mut self, message: &[u8]) -> Result<Answer, Status>;

    /// The time in which the first message must come, and what is said where it does not.
    fn patience(&self) -> Option<(Duration, Status)> {
        None
    }

    /// Whether all has been said.
    fn is_over(&self) -> bool {
        false
    }

    /// The last word to a caller whose connection leaves.
    fn leave(&mut self) -> Option<Vec<u8>> {
        None
    }

    /// How a stream ends that was not ended by a status.
    fn end(is_leaving: bool) -> Result<(), Status>;
}

/// Answers until the caller has said all, or goes, or its connection leaves.
pub(super) async fn answer<T: Talk>(
    talk: T,
    body: RecvStream,
    bytes_max: usize,
    caller: SendResponse<Bytes>,
    leaving: CancellationToken,
) {
    let asked = Messages {
        patience: talk.patience().map(|(time, status)| (Box::pin(sleep(time)), status)),
        left: Box::pin(leaving.clone().cancelled_owned()),
        talk,
        body,
        sent: BytesMut::new(),
        bytes_max,
        over: false,
    };
    let answers = pin!(lane::answers(asked, WAITING_MAX));
    if let Err(gone) = tell(answers, caller, || T::end(leaving.is_cancelled())).await {
        debug!(%gone, "caller of a stream has gone");
    }
}

/// Tells a caller the answers as they come.
async fn tell(
    mut answers: Pin<&mut impl Stream<Item = Result<Vec<u8>, Status>>>,
    mut caller: SendResponse<Bytes>,
    end: impl Fn() -> Result<(), Status>,
) -> Result<(), h2::Error> {
    let mut out = caller.send_response(caller::head(), false)?;
    loop {
        let (replies, ended) = next(answers.as_mut(), &mut out).await?;
        let is_full = replies.len() >= REPLIES_BYTES;
        if !replies.is_empty() {
            caller::room(&mut out).await?;
            out.send_data(replies.into(), false)?;
        }
        match ended.map(|ended| ended.and_then(|()| end())) {
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
async fn next(
    mut answers: Pin<&mut impl Stream<Item = Result<Vec<u8>, Status>>>,
    out: &mut SendStream<Bytes>,
) -> Result<Replies, h2::Error> {
    poll_fn(|cx| {
        caller::waits(out, cx)?;
        let mut replies = Vec::new();
        while replies.len() < REPLIES_BYTES {
            match answers.as_mut().poll_next(cx) {
                Poll::Ready(Some(Ok(reply))) => replies.extend_from_slice(&reply),
                Poll::Ready(Some(Err(status))) => return Poll::Ready(Ok((replies, Some(Err(status))))),
                Poll::Ready(None) => return Poll::Ready(Ok((replies, Some(Ok(()))))),
                Poll::Pending => break,
            }
        }
        if replies.is_empty() { Poll::Pending } else { Poll::Ready(Ok((replies, None))) }
    })
    .await
}

/// What comes of each message that a caller sends.
struct Messages<T> {
    talk: T,
    body: RecvStream,
    /// What has come and was not read.
    sent: BytesMut,
    bytes_max: usize,
    /// Until the first has come: how long it may take, and what is said then.
    patience: Option<(Pin<Box<Sleep>>, Status)>,
    left: Pin<Box<WaitForCancellationFutureOwned>>,
    /// Whether nothing more will be read.
    over: bool,
}

impl<T: Talk> Messages<T> {
    /// What comes of the next message, if all of it is there.
    fn answer(&mut self) -> Result<Option<Answer>, Status> {
        let length = length(&self.sent, self.bytes_max)?;
        let Some(length) = length.filter(|length| *length <= self.sent.len()) else { return Ok(None) };
        let come = self.talk.answer(&self.sent[PREFIX_BYTES..length])?;
        self.sent.advance(length);
        self.patience = None;
        Ok(Some(come))
    }

    fn take(&mut self, piece: &[u8]) {
        self.sent.extend_from_slice(piece);
        taken_in(&mut self.body, piece.len());
    }

    /// Ready when nothing has come for too long.
    fn is_late(&mut self, cx: &mut Context<'_>) -> Poll<Status> {
        let Some((time, status)) = &mut self.patience else { return Poll::Pending };
        time.as_mut().poll(cx).map(|()| status.clone())
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Answer>, Status>> {
        loop {
            if self.talk.is_over() {
                return Poll::Ready(Ok(None));
            }
            if let Some(answer) = self.answer()? {
                return Poll::Ready(Ok(Some(answer)));
            }
            // What was received before is still answered.
            if self.left.as_mut().poll(cx).is_ready() {
                self.over = true;
                return Poll::Ready(Ok(self.talk.leave().map(|word| Come::Now(Ok(word)))));
            }
            let Poll::Ready(piece) = self.body.poll_data(cx) else { return self.is_late(cx).map(Err) };
            match piece {
                Some(Ok(piece)) => self.take(&piece),
                None if !self.sent.is_empty() => {
                    return Poll::Ready(Err(Status::internal("the stream ends within a message")));
                }
                // Who goes is told nothing.
                Some(Err(_)) | None => return Poll::Ready(Ok(None)),
            }
        }
    }
}

impl<T: Talk> Stream for Messages<T> {
    type Item = Answer;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Answer>> {
        if self.over {
            return Poll::Ready(None);
        }
        let answer = ready!(self.poll(cx));
        self.over |= !matches!(answer, Ok(Some(_)));
        Poll::Ready(answer.unwrap_or_else(|status| Some(Come::Now(Err(status)))))
    }
}

#[cfg(test)]
mod tests;
