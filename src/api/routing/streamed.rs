//! What comes of a pick of a stream, under its name: a decision, or what is wrong with it.

use crate::api::{
    convert::{
        Invalid,
        reply::{self, Fields, Generated, Told},
    },
    status,
};

/// The decision, which knows its request; or the name of a request, and what is wrong with it.
pub(in crate::api) struct Streamed(pub(super) Result<Told, (String, Invalid)>);

/// `StreamPicksResponse`.
impl Fields for Streamed {
    fn put(&self, out: &mut Vec<u8>) {
        match &self.0 {
            Ok(told) => {
                reply::text(out, 1, told.request.as_str());
                reply::message(out, 2, told);
            }
            Err((request, bad)) => {
                reply::text(out, 1, request);
                reply::message(out, 3, &Generated(&status::pick_error(bad)));
            }
        }
    }
}
