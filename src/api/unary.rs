//! How is a call of one message answered with one message, at the least cost?
//!
//! Between HTTP/2 and a handler tonic puts a router, a stream of messages in each direction and boxes around them: more than
//! a decision costs. Calls that every request makes are answered here instead, in the same words.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use hyper::body::{Body as HttpBody, Frame, Incoming};
use prost::{
    Message,
    bytes::{Buf, BufMut, Bytes, BytesMut},
};
use tonic::{
    Status,
    body::Body,
    codegen::http::{HeaderMap, HeaderValue, Response, header::CONTENT_TYPE},
};

use super::convert::reply::Fields;

/// Whether a message is compressed, and its length.
const PREFIX_BYTES: usize = 5;
/// Most replies are shorter.
const REPLY_BYTES: usize = 400;

/// What goes back to the caller.
#[derive(Debug, Default)]
pub(super) enum Reply {
    /// A message, with its prefix, and then that it went well.
    Message(Bytes),
    /// That it went well.
    Status,
    /// Nothing more.
    #[default]
    End,
    /// What tonic has made.
    Routed(Body),
}

impl HttpBody for Reply {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let (frame, rest) = match &mut *self {
            Self::Message(message) => (Frame::data(std::mem::take(message)), Self::Status),
            Self::Status => (Frame::trailers(went_well()), Self::End),
            Self::End => return Poll::Ready(None),
            Self::Routed(body) => return Pin::new(body).poll_frame(cx),
        };
        *self = rest;
        Poll::Ready(Some(Ok(frame)))
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Message(_) | Self::Status => false,
            Self::End => true,
            Self::Routed(body) => body.is_end_stream(),
        }
    }
}

fn went_well() -> HeaderMap {
    HeaderMap::from_iter([(Status::GRPC_STATUS, HeaderValue::from_static("0"))])
}

/// The one message of a call, which may be so long.
pub(super) async fn asked<Q: Message + Default>(body: Incoming, bytes_max: usize) -> Result<Q, Status> {
    let mut message = whole(body, bytes_max).await?;
    message.advance(PREFIX_BYTES);
    Q::decode(message).map_err(|error| Status::internal(error.to_string()))
}

/// The reply that holds a message of these fields.
pub(super) fn reply(fields: &impl Fields) -> Response<Reply> {
    let mut reply = Response::new(Reply::Message(framed(fields)));
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    reply
}

fn framed(fields: &impl Fields) -> Bytes {
    let mut bytes = BytesMut::with_capacity(REPLY_BYTES);
    bytes.put_bytes(0, PREFIX_BYTES);
    fields.put(&mut bytes);
    let length = u32::try_from(bytes.len() - PREFIX_BYTES).expect("replies are far shorter than 4 GiB");
    bytes[1..PREFIX_BYTES].copy_from_slice(&length.to_be_bytes());
    bytes.freeze()
}

/// All that is sent, which must be one message and no more. Mostly it comes in one piece.
async fn whole(mut body: Incoming, bytes_max: usize) -> Result<Bytes, Status> {
    let first = piece(&mut body).await?.unwrap_or_default();
    if body.is_end_stream() {
        let length = length(&first, bytes_max)?;
        return if length == Some(first.len()) { Ok(first) } else { Err(not_one()) };
    }
    let mut sent = BytesMut::from(first);
    loop {
        let length = length(&sent, bytes_max)?;
        if length.is_some_and(|length| sent.len() > length) {
            return Err(not_one());
        }
        match piece(&mut body).await? {
            Some(piece) => sent.extend_from_slice(&piece),
            None if length == Some(sent.len()) => return Ok(sent.freeze()),
            None => return Err(not_one()),
        }
    }
}

/// The next of what is sent. What callers say after their message says nothing here.
async fn piece(body: &mut Incoming) -> Result<Option<Bytes>, Status> {
    while !body.is_end_stream() {
        let frame = std::future::poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx)).await.transpose();
        match frame.map_err(|error| Status::from_error(Box::new(error)))?.map(Frame::into_data) {
            Some(Ok(piece)) => return Ok(Some(piece)),
            Some(Err(_trailers)) => {}
            None => break,
        }
    }
    Ok(None)
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
