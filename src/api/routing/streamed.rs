//! What comes of a pick of a stream: a decision, or what is wrong with it, under its name.

use super::Decided;
use crate::api::{
    convert::reply::{self, Fields, Generated},
    status,
};

/// The name of a request, and what came of it.
pub(in crate::api) struct Streamed {
    pub(super) request: String,
    pub(super) decided: Decided,
}

/// `StreamPicksResponse`.
impl Fields for Streamed {
    fn put(&self, out: &mut Vec<u8>) {
        reply::text(out, 1, &self.request);
        match &self.decided {
            Ok(told) => reply::message(out, 2, told),
            Err(bad) => reply::message(out, 3, &Generated(&status::pick_error(bad))),
        }
    }
}
