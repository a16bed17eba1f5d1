//! A client nearer to the wire than tonic's, to see what the service does to a connection and to a call.

use std::net::SocketAddr;

use h2::{
    SendStream,
    client::{self, Connection, ResponseFuture, SendRequest},
};
use prost::{
    Message,
    bytes::{BufMut, Bytes, BytesMut},
};
use tokio::net::TcpStream;
use tonic::codegen::http::Request;

/// The path of a method of `RoutingService`.
pub(crate) fn path(method: &str) -> String {
    format!("/pointsman.v1.RoutingService/{method}")
}

/// Connects and speaks HTTP/2; nothing moves unless the second is polled.
pub(crate) async fn connect(address: SocketAddr) -> (SendRequest<Bytes>, Connection<TcpStream, Bytes>) {
    let stream = TcpStream::connect(address).await.expect("it accepts");
    client::handshake(stream).await.expect("it speaks HTTP/2")
}

/// Begins a call.
pub(crate) fn begin(
    client: &mut SendRequest<Bytes>,
    path: &str,
) -> Result<(ResponseFuture, SendStream<Bytes>), h2::Error> {
    begin_with(client, path, &[])
}

/// Begins a call with more headers than it must have.
pub(crate) fn begin_with(
    client: &mut SendRequest<Bytes>,
    path: &str,
    headers: &[(&'static str, &'static str)],
) -> Result<(ResponseFuture, SendStream<Bytes>), h2::Error> {
    let request = Request::post(format!("http://pointsman{path}")).header("content-type", "application/grpc");
    let request = request.header("te", "trailers");
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    client.send_request(request.body(()).expect("a request"), false)
}

/// All bytes of a connection with one call, as a client sends them that awaits nothing.
pub(crate) fn call(method: &str, message: &impl Message) -> Vec<u8> {
    let headers = [
        (":method", "POST"),
        (":scheme", "http"),
        (":path", &path(method)),
        (":authority", "pointsman"),
        ("content-type", "application/grpc"),
        ("te", "trailers"),
    ];
    let text = |text: &str| [&[u8::try_from(text.len()).expect("short")], text.as_bytes()].concat();
    // As HPACK has it: a new name, a literal, not to be remembered.
    let headers = headers.map(|(name, value)| [vec![0], text(name), text(value)].concat()).concat();
    [opening(), http2_frame(1, 4, 1, &headers), http2_frame(0, 1, 1, &frame(message))].concat()
}

/// What opens a connection: the preface, and settings that say nothing.
pub(crate) fn opening() -> Vec<u8> {
    [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(), http2_frame(4, 0, 0, &[])].concat()
}

/// A frame as RFC 9113 numbers its kind and flags.
pub(crate) fn http2_frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("short").to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// The kinds of the frames in these bytes.
pub(crate) fn frames(mut bytes: &[u8]) -> Vec<u8> {
    let mut kinds = Vec::new();
    while let [a, b, c, kind, ..] = bytes {
        kinds.push(*kind);
        let length = u32::from_be_bytes([0, *a, *b, *c]) as usize;
        bytes = bytes.get(9 + length..).unwrap_or_default();
    }
    kinds
}

/// A message with its length before it.
pub(crate) fn frame(message: &impl Message) -> Bytes {
    let length = message.encoded_len();
    let mut frame = BytesMut::with_capacity(5 + length);
    frame.put_u8(0);
    frame.put_u32(u32::try_from(length).expect("a short message"));
    message.encode(&mut frame).expect("room was made");
    frame.freeze()
}
