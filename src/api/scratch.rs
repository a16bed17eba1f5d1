//! What is a pick read into?
//!
//! Into what the one before it on the same thread was read into: a message is a dozen texts and lists, which as memory of its
//! own would live for a microsecond.

use std::cell::RefCell;

use prost::{Message, decode_length_delimiter};
use tonic::Status;

use super::message::malformed;
use crate::proto::{PickNodeRequest, StreamPicksRequest};

thread_local! {
    static PICK: RefCell<PickNodeRequest> = RefCell::default();
}

/// Longer ones are seldom, and have memory of their own: so little is kept.
const KEPT_BYTES_MAX: usize = 4 * 1024;
/// What stands before the pick of a `StreamPicksRequest`: field 1, with a length.
const PICK_KEY: u8 = 1 << 3 | 2;

/// Looks at the pick that a message is.
pub(super) fn pick<R>(message: &[u8], look: impl FnOnce(&PickNodeRequest) -> R) -> Result<R, Status> {
    if message.len() > KEPT_BYTES_MAX {
        return PickNodeRequest::decode(message).map(|pick| look(&pick)).map_err(malformed);
    }
    PICK.with_borrow_mut(|pick| {
        pick.clear();
        pick.merge(message).map_err(malformed)?;
        Ok(look(pick))
    })
}

/// Looks at the pick that a `StreamPicksRequest` holds.
pub(super) fn streamed<R>(message: &[u8], look: impl FnOnce(&PickNodeRequest) -> R) -> Result<R, Status> {
    if let Some(inner) = only_pick(message) {
        return pick(inner, look);
    }
    let streamed = StreamPicksRequest::decode(message).map_err(malformed)?;
    Ok(look(&streamed.pick.unwrap_or_default()))
}

/// The pick, where a message holds one and nothing else, as far as its beginning tells.
fn only_pick(message: &[u8]) -> Option<&[u8]> {
    let (&PICK_KEY, mut rest) = message.split_first()? else { return None };
    let length = decode_length_delimiter(&mut rest).ok()?;
    (length == rest.len()).then_some(rest)
}

#[cfg(test)]
mod tests;
