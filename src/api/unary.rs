//! What is the one message of a call?
//!
//! Between HTTP/2 and a handler tonic puts a router, a stream of messages in each direction and boxes around them: more than
//! a decision costs. Calls that every request makes are read and answered here instead, in the same words.

use std::task::{Context, Poll, ready};

use h2::RecvStream;
use prost::{
    Message,
    bytes::{Buf, BufMut, Bytes, BytesMut},
};
use tonic::Status;

use super::convert::reply::Fields;

/// Whether a message is compressed, and its length.
const PREFIX_BYTES: usize = 5;
/// Most replies are shorter.
const REPLY_BYTES: usize = 400;

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
                return Poll::Ready(self.message(piece));
            }
            self.take(&piece)?;
        }
        // What callers say after their message says nothing here.
        let sent = std::mem::take(&mut self.pieces).freeze();
        Poll::Ready(self.message(sent))
    }

    fn take(&mut self, piece: &[u8]) -> Result<(), Status> {
        self.pieces.extend_from_slice(piece);
        // As many more may come. The call may be over: then none will.
        let _ = self.body.flow_control().release_capacity(piece.len());
        let length = length(&self.pieces, self.bytes_max)?;
        if length.is_some_and(|length| self.pieces.len() > length) { Err(not_one()) } else { Ok(()) }
    }

    fn message(&self, mut sent: Bytes) -> Result<Bytes, Status> {
        if length(&sent, self.bytes_max)? != Some(sent.len()) {
            return Err(not_one());
        }
        sent.advance(PREFIX_BYTES);
        Ok(sent)
    }
}

/// What a message says.
pub(super) fn decoded<Q: Message + Default>(message: Bytes) -> Result<Q, Status> {
    Q::decode(message).map_err(|error| Status::internal(error.to_string()))
}

/// A message of these fields, with its prefix.
pub(super) fn framed(fields: &impl Fields) -> Bytes {
    let mut bytes = BytesMut::with_capacity(REPLY_BYTES);
    bytes.put_bytes(0, PREFIX_BYTES);
    fields.put(&mut bytes);
    let length = u32::try_from(bytes.len() - PREFIX_BYTES).expect("replies are far shorter than 4 GiB");
    bytes[1..PREFIX_BYTES].copy_from_slice(&length.to_be_bytes());
    bytes.freeze()
}

/// Of a message with its prefix, as that says, once it has come. What is too long is refused before memory is taken for it.
fn length(sent: &[u8], bytes_max: usize) -> Result<Option<usize>, Status> {
    let Some(mut prefix) = sent.get(..PREFIX_BYTES) else { return Ok(None) };
    match prefix.get_u8() {
        0 => {}
        1 => return Err(Status::internal("a compressed message came, and no `grpc-encoding`")),
        flag => return Err(Status::internal(format!("a message begins with {flag}: no flag of gRPC"))),
    }
    let length = prefix.get_u32() as usize;
    if length > bytes_max {
        let told = format!("message too long: found {length} bytes, the limit is: {bytes_max} bytes");
        return Err(Status::out_of_range(told));
    }
    Ok(Some(PREFIX_BYTES + length))
}

fn not_one() -> Status {
    Status::unimplemented("this method takes one message, whole: none, a part of one, or more came")
}
