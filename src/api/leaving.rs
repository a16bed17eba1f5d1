//! When do the streams on a connection end?
//!
//! When the service leaves, and when their connection is told to go away. Each request that tonic answers carries its
//! connection's word for that.

use tokio_util::sync::CancellationToken;
use tonic::{Request, codegen::http::Extensions};

/// The end of one connection draws near: streams on it are to end.
#[derive(Debug, Clone)]
struct Leaving(CancellationToken);

/// Lets a request say when its connection leaves.
pub(super) fn mark(extensions: &mut Extensions, leaving: &CancellationToken) {
    extensions.insert(Leaving(leaving.clone()));
}

/// Ends what streams on the connection of a request; `server` where the request came over none.
pub(super) fn of<T>(asked: &Request<T>, server: &CancellationToken) -> CancellationToken {
    asked.extensions().get::<Leaving>().map_or_else(|| server.clone(), |leaving| leaving.0.clone())
}
