//! What comes of the picks of a batch, in their order: a decision each, or what is wrong with one.

use super::Decided;
use crate::api::{
    convert::reply::{self, Fields, Generated},
    status,
};

/// What came of each.
pub(in crate::api) struct Batch(pub(super) Vec<Decided>);

/// `BatchPickNodesResponse`.
impl Fields for Batch {
    fn put(&self, out: &mut Vec<u8>) {
        for decided in &self.0 {
            reply::message(out, 1, &OfBatch(decided));
        }
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
