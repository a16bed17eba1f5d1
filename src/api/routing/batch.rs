//! What comes of a pick of a batch: a decision, or what is wrong with it.

use crate::api::{
    convert::{
        Invalid,
        reply::{self, Fields, Generated, Told},
    },
    status,
};

/// Bytes that the result of a pick mostly fits into.
pub(super) const RESULT_BYTES: usize = 300;

/// The result of a pick, as it stands in `BatchPickNodesResponse`.
pub(super) fn result(decided: Result<&Told, &Invalid>) -> Vec<u8> {
    let mut out = Vec::with_capacity(RESULT_BYTES);
    reply::message(&mut out, 1, &OfBatch(decided));
    out
}

/// `BatchPickResult`.
struct OfBatch<'a>(Result<&'a Told, &'a Invalid>);

impl Fields for OfBatch<'_> {
    fn put(&self, out: &mut Vec<u8>) {
        match self.0 {
            Ok(told) => reply::message(out, 1, told),
            Err(bad) => reply::message(out, 2, &Generated(&status::pick_error(bad))),
        }
    }
}
