//! What comes of a pick of a stream: a decision, or what is wrong with it, under its name.

use crate::api::{
    convert::{
        Invalid,
        reply::{self, Fields, Generated, Told},
    },
    status,
};

/// The name of a request, and what came of it.
pub(super) struct Streamed<'a>(pub(super) &'a str, pub(super) Result<&'a Told, &'a Invalid>);

/// `StreamPicksResponse`.
impl Fields for Streamed<'_> {
    fn put(&self, out: &mut Vec<u8>) {
        let Self(request, decided) = self;
        reply::text(out, 1, request);
        match decided {
            Ok(told) => reply::message(out, 2, *told),
            Err(bad) => reply::message(out, 3, &Generated(&status::pick_error(bad))),
        }
    }
}
