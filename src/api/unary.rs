//! What is the one message of a call?
//!
//! Between HTTP/2 and a handler tonic puts a router, a stream of messages in each direction and boxes around them: more than
//! a decision costs. Calls that every request makes are read and answered past it instead, in the same words.

use std::task::{Context, Poll, ready};

use h2::RecvStream;
use prost::bytes::{Buf, Bytes, BytesMut};
use tonic::Status;

use super::message::{PREFIX_BYTES, length, taken_in};

/// What a caller sends: one message of so many bytes at most.
pub(super) struct Asked {
    body: RecvStream,
    /// What has come, where it did not come in one piece.
    pieces: BytesMut,
    bytes_max: usize,
}

impl Asked {
    /// Nothing was looked at yet.
    pub(super) fn new(body: RecvStream, bytes_max: usize) -> Self {
        Self { body, pieces: BytesMut::new(), bytes_max }
    }

    /// The message, once all of it has come and nothing else. Mostly it is there at the first look, in one piece.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Bytes, Status>> {
        while let Some(piece) = ready!(self.body.poll_data(cx)) {
            let piece = piece.map_err(|error| Status::from_error(Box::new(error)))?;
            if self.pieces.is_empty() && self.body.is_end_stream() {
                return Poll::Ready(self.whole(piece));
            }
            self.take(&piece)?;
        }
        // What callers say after their message says nothing here.
        let sent = self.pieces.split().freeze();
        Poll::Ready(self.whole(sent))
    }

    fn take(&mut self, piece: &[u8]) -> Result<(), Status> {
        self.pieces.extend_from_slice(piece);
        taken_in(&mut self.body, piece.len());
        let length = length(&self.pieces, self.bytes_max)?;
        if length.is_some_and(|length| self.pieces.len() > length) { Err(not_one()) } else { Ok(()) }
    }

    fn whole(&self, mut sent: Bytes) -> Result<Bytes, Status> {
        if length(&sent, self.bytes_max)? != Some(sent.len()) {
            return Err(not_one());
        }
        sent.advance(PREFIX_BYTES);
        Ok(sent)
    }
}

fn not_one() -> Status {
    Status::unimplemented("this method takes one message, whole: none, a part of one, or more came")
}
