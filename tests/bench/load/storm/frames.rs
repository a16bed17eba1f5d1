//! How is HTTP/2 spoken at a tenth of what it costs the service?
//!
//! By a client that writes the bytes of each frame itself. What names the call goes once into the connection's table of
//! headers and is then a byte each; of a reply only the kind of each frame, the message and the end are looked at.

use prost::bytes::{Buf, BytesMut};

/// Connection preface and the client's settings: no pushes, and room for all replies of a run, so that it never tells of more.
const HELLO: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\
    \x00\x00\x06\x04\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00\x00\
    \x00\x00\x04\x08\x00\x00\x00\x00\x00\x7f\x00\x00\x00";
/// Bytes before a frame: length, kind, flags, stream.
const HEAD: usize = 9;
const ACK: u8 = 1;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
/// The reason of a reset: the caller has no use for the reply any more.
const CANCEL: [u8; 4] = 8_u32.to_be_bytes();
/// `:method: POST`, `:scheme: http`, and the headers that [`introduction`] has put into the table.
const KNOWN: [u8; 6] = [0x83, 0x86, 0xc2, 0xc1, 0xc0, 0xbf];
/// Where [`introduction`] has put the name `grpc-timeout`: last, so at 62, of which 15 stand in the first byte.
const TIMEOUT: [u8; 2] = [0x0f, 62 - 15];

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RESET: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;

/// What the service has said.
pub(super) enum Heard {
    /// A message on a stream, with its gRPC prefix.
    Message(u32, BytesMut),
    /// The end of a stream, good or not.
    End(u32),
    /// So many streams may be open.
    StreamsMax(u32),
    /// So many more bytes may be sent.
    Room(u32),
    /// It wants to know whether the client is there, or told its settings: to be answered with this.
    Reply(Vec<u8>),
    /// The connection is at its end.
    Away,
}

/// What opens a connection.
pub(super) fn hello() -> Vec<u8> {
    HELLO.to_vec()
}

/// A pick on a stream. The first of a connection (with its `authority`) says in full what later ones only point at.
pub(super) fn ask(out: &mut Vec<u8>, stream: u32, millis: u128, message: &[u8], authority: Option<&str>) {
    let block = authority.map_or_else(|| reference(millis), |authority| introduction(authority, millis));
    frame(out, HEADERS, END_HEADERS, stream, &block);
    frame(out, DATA, END_STREAM, stream, message);
}

/// Ends a stream whose reply nobody waits for any more.
pub(super) fn reset(out: &mut Vec<u8>, stream: u32) {
    frame(out, RESET, 0, stream, &CANCEL);
}

/// The next thing that was said, if all of it has come.
pub(super) fn heard(inbox: &mut BytesMut) -> Option<Heard> {
    loop {
        let mut head = inbox.get(..HEAD)?;
        let length = usize::from(head.get_u8()) << 16 | usize::from(head.get_u16());
        let (kind, flags, stream) = (head.get_u8(), head.get_u8(), head.get_u32());
        inbox.get(..HEAD + length)?;
        inbox.advance(HEAD);
        let payload = inbox.split_to(length);
        if let Some(heard) = understood(kind, flags, stream, payload) {
            return Some(heard);
        }
    }
}

fn understood(kind: u8, flags: u8, stream: u32, mut payload: BytesMut) -> Option<Heard> {
    match kind {
        DATA if !payload.is_empty() => Some(Heard::Message(stream, payload)),
        HEADERS | DATA if flags & END_STREAM == 0 => None,
        HEADERS | RESET | DATA => Some(Heard::End(stream)),
        SETTINGS if flags & ACK == 0 => streams_max(&payload).map(Heard::StreamsMax),
        PING if flags & ACK == 0 => {
            let mut reply = Vec::new();
            frame(&mut reply, PING, ACK, 0, &payload);
            Some(Heard::Reply(reply))
        }
        WINDOW_UPDATE if stream == 0 => Some(Heard::Room(payload.get_u32())),
        GOAWAY => Some(Heard::Away),
        _ => None,
    }
}

/// The answer to settings.
pub(super) fn acknowledgement() -> Vec<u8> {
    let mut reply = Vec::new();
    frame(&mut reply, SETTINGS, ACK, 0, &[]);
    reply
}

fn streams_max(settings: &[u8]) -> Option<u32> {
    let mut entries = settings.chunks_exact(6);
    entries.find(|entry| entry[..2] == [0, 3]).map(|mut entry| {
        entry.advance(2);
        entry.get_u32()
    })
}

fn frame(out: &mut Vec<u8>, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
    let length = u32::try_from(payload.len()).unwrap_or_default().to_be_bytes();
    out.extend([length[1], length[2], length[3], kind, flags]);
    out.extend(stream.to_be_bytes());
    out.extend(payload);
}

/// Points at the headers in the table.
fn reference(millis: u128) -> Vec<u8> {
    let mut block = KNOWN.to_vec();
    block.extend(TIMEOUT);
    text(&mut block, &format!("{millis}m"));
    block
}

/// Puts five headers into the table, at 66 to 62.
fn introduction(authority: &str, millis: u128) -> Vec<u8> {
    let mut block = vec![0x83, 0x86];
    let mut known = |name: u8, value: &str| {
        block.push(0x40 | name);
        text(&mut block, value);
    };
    known(4, "/pointsman.v1.RoutingService/PickNode");
    known(1, authority);
    known(31, "application/grpc");
    for (name, value) in [("te", "trailers"), ("grpc-timeout", &format!("{millis}m"))] {
        block.push(0x40);
        text(&mut block, name);
        text(&mut block, value);
    }
    block
}

/// A text as it is, of at most 126 bytes.
fn text(block: &mut Vec<u8>, text: &str) {
    block.push(u8::try_from(text.len()).unwrap_or_default());
    block.extend(text.as_bytes());
}
