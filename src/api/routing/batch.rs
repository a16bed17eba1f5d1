//! What comes of the picks of a batch, in their order: a decision each, or what is wrong with one.

use super::Decided;
use crate::{
    api::{
        convert::reply::{self, Fields, Generated, Out, Told},
        status,
    },
    proto::{BatchPickNodesResponse, BatchPickResult, batch_pick_result},
};

/// What came of each.
pub(in crate::api) struct Batch(pub(super) Vec<Decided>);

/// `BatchPickNodesResponse`.
impl Fields for Batch {
    fn put(&self, out: &mut impl Out) {
        for decided in &self.0 {
            reply::message(out, 1, &OfBatch(decided));
        }
    }
}

/// `BatchPickResult`.
struct OfBatch<'a>(&'a Decided);

impl Fields for OfBatch<'_> {
    fn put(&self, out: &mut impl Out) {
        match self.0 {
            Ok(told) => reply::message(out, 1, told),
            Err(bad) => reply::message(out, 2, &Generated(&status::pick_error(bad))),
        }
    }
}

impl From<Batch> for BatchPickNodesResponse {
    fn from(batch: Batch) -> Self {
        use batch_pick_result::Result as Wire;
        let result = |decided: Decided| {
            let result = decided.map(Told::message);
            result.map_or_else(|bad| Wire::Error(status::pick_error(&bad)), Wire::Decision)
        };
        let results = batch.0.into_iter().map(|decided| BatchPickResult { result: Some(result(decided)) });
        Self { results: results.collect() }
    }
}
