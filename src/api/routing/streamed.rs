//! What comes of a pick of a stream: a decision, or what is wrong with it, under its name.

use tonic::Status;

use super::Routing;
use crate::api::{
    convert::{
        Invalid,
        reply::{self, Fields, Generated, Told},
    },
    scratch, status,
    stream::{Answer, Talk},
};

/// `StreamPicks`.
impl Talk for Routing {
    fn answer(&mut self, message: &[u8]) -> Result<Answer, Status> {
        Ok(scratch::streamed(message, |asked| self.streamed(asked))?.map(Ok))
    }

    fn end(is_leaving: bool) -> Result<(), Status> {
        if is_leaving { Err(status::leaving()) } else { Ok(()) }
    }
}

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
