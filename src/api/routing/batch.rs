//! What comes of the picks of a batch, in their order: a decision each, or what is wrong with one.

use super::Decided;
use crate::api::{
    convert::reply::{self, Fields, Generated},
    status,
};

/// Bytes that the result of a pick mostly fits into.
const RESULT_BYTES: usize = 300;

/// `BatchPickNodesResponse`, written as the results come: as values they would take a hundred times a pick's memory.
pub(in crate::api) struct Batch(Vec<u8>);

impl Batch {
    /// Room for so many results.
    pub(super) fn of(picks: usize) -> Self {
        Self(Vec::with_capacity(picks * RESULT_BYTES))
    }

    /// The next result.
    pub(super) fn put(&mut self, decided: &Decided) {
        reply::message(&mut self.0, 1, &OfBatch(decided));
    }
}

impl Fields for Batch {
    fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0);
    }
}

/// `BatchPickResult`.
struct OfBatch<'a>(&'a Decided);

impl Fields for OfBatch<'_> {
    fn put(&self, out: &mut Vec<u8>) {
        match self.0 {
            Ok(told) => reply::message(out, 1, told),
            Err(bad) => reply::message(out, 2, &Generated(&status::pick_error(bad))),
        }
    }
}
