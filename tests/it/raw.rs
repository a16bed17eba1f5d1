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
    let request = Request::post(format!("http://pointsman{path}")).header("content-type", "application/grpc");
    let request = request.header("te", "trailers").body(()).expect("a request");
    client.send_request(request, false)
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
