//! How does gRPC put a message into bytes?

use h2::RecvStream;
use prost::{DecodeError, Message, bytes::Buf};
use tonic::Status;

use super::convert::reply::Fields;

/// Whether a message is compressed, and its length.
pub(super) const PREFIX_BYTES: usize = 5;
/// Most replies are shorter.
const REPLY_BYTES: usize = 400;

/// What a message says.
pub(super) fn decoded<Q: Message + Default>(message: &[u8]) -> Result<Q, Status> {
    Q::decode(message).map_err(malformed)
}

/// It says nothing.
#[expect(clippy::needless_pass_by_value, reason = "as `map_err` has it")]
pub(super) fn malformed(error: DecodeError) -> Status {
    Status::internal(error.to_string())
}

/// A message of these fields, with its prefix.
pub(super) fn framed(fields: &impl Fields) -> Vec<u8> {
    let mut out = begun(REPLY_BYTES);
    fields.put(&mut out);
    ended(out)
}

/// Where a message of about so many bytes may be written.
pub(super) fn begun(bytes: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(PREFIX_BYTES + bytes);
    out.extend_from_slice(&[0; PREFIX_BYTES]);
    out
}

/// All of it was written: now its length is known.
pub(super) fn ended(mut out: Vec<u8>) -> Vec<u8> {
    let length = u32::try_from(out.len() - PREFIX_BYTES).expect("replies are far shorter than 4 GiB");
    out[1..PREFIX_BYTES].copy_from_slice(&length.to_be_bytes());
    out
}

/// Of a message with its prefix, as that says, once it has come. What is too long is refused before memory is taken for it.
pub(super) fn length(sent: &[u8], bytes_max: usize) -> Result<Option<usize>, Status> {
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

/// So many bytes were taken in: as many more may come. The call may be over: then none will.
pub(super) fn taken_in(body: &mut RecvStream, bytes: usize) {
    let _ = body.flow_control().release_capacity(bytes);
}
