//! How does a connection live, and how does it end?
//!
//! tonic's server has no bound on what waits to be written, gives all connections the same age, and with a grace for it sends no
//! `GOAWAY`. So each connection is served by hyper itself, with every bound set.

mod calls;
mod guarded;

use std::{
    future::{pending, poll_fn},
    pin::Pin,
    sync::Arc,
    time::Duration,
};

use hyper::{server::conn::http2::Builder, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{net::TcpStream, sync::OwnedSemaphorePermit, time::sleep};
use tokio_util::sync::CancellationToken;
use tracing::debug;

use super::dispatch::Dispatch;
use crate::config::ServerConfig;
use calls::Calls;
use guarded::Guarded;

/// Longest headers of a request: names, values and 32 bytes for each.
const HEADER_BYTES_MAX: u32 = 8 * 1024;
/// Streams that the client opened and reset before they were looked at, as a multiple of those that it may have open; with
/// more, the connection is ended. Of a service that is asked too much all streams of a connection may run out of time
/// before it reads them, and those opened after them: to end it for that would cost those that are still of use.
const RESETS_PENDING_FACTOR: usize = 2;
/// Streams that the client's errors made us reset; with more, the connection is ended.
const ERROR_RESETS_MAX: usize = 256;
/// The random share of its age by which a connection may become older: clients that came together do not leave together.
const AGE_SPREAD: f64 = 0.1;

/// How connections are served.
#[derive(Debug, Clone)]
pub(super) struct Terms(Arc<ServerConfig>);

impl Terms {
    /// As configured.
    pub(super) fn new(config: &ServerConfig) -> Self {
        Self(Arc::new(config.clone()))
    }

    fn http2(&self, calls: &Calls) -> Builder<Calls> {
        let config = &self.0;
        let mut http2 = Builder::new(calls.clone());
        http2
            .timer(TokioTimer::new())
            .auto_date_header(false)
            .max_concurrent_streams(config.streams_max)
            .max_send_buf_size(config.send_buffer_bytes_max)
            .max_header_list_size(HEADER_BYTES_MAX)
            .max_pending_accept_reset_streams(config.streams_max as usize * RESETS_PENDING_FACTOR)
            .max_local_error_reset_streams(ERROR_RESETS_MAX)
            .keep_alive_interval(config.keepalive_interval)
            .keep_alive_timeout(config.keepalive_timeout);
        http2
    }

    /// How old a connection may become; `None` for as old as it likes. `chance` is from 0 to 1.
    fn age(&self, chance: f64) -> Option<Duration> {
        let age_max = self.0.connection_age_max;
        (!age_max.is_zero()).then(|| age_max.mul_f64(1.0 + AGE_SPREAD * chance))
    }

    /// Serves a connection until it ends. When it is old (`chance`, from 0 to 1, says how old), or `leaving` is cancelled, the
    /// client is told to go away: its streams are ended, and the rest gets its time to finish. `cut` ends it then at once.
    pub(super) async fn serve(
        self,
        (io, _place): (TcpStream, OwnedSemaphorePermit),
        dispatch: Arc<Dispatch>,
        leaving: CancellationToken,
        cut: CancellationToken,
        chance: f64,
    ) {
        let age = self.age(chance);
        let io = TokioIo::new(Guarded::new(io, self.0.preface_timeout, self.0.write_timeout));
        let told = leaving.clone();
        let service = service_fn(move |request| dispatch.call(request, &told));
        let calls = Calls::default();
        let mut connection = std::pin::pin!(self.http2(&calls).serve_connection(io, service));
        let grace = tokio::select! {
            ended = attend(connection.as_mut(), &calls) => return debug!(?ended, "connection ended"),
            () = after(age) => Some(self.0.connection_age_grace),
            // The stop has a grace of its own, after which all that is left is dropped.
            () = leaving.cancelled() => None,
        };
        debug!(?grace, "connection told to go away");
        leaving.cancel();
        connection.as_mut().graceful_shutdown();
        let ended = tokio::select! {
            ended = attend(connection, &calls) => Some(ended),
            () = after(grace) => None,
            () = cut.cancelled() => None,
        };
        debug!(?ended, "connection ended");
    }
}

/// Looks at the calls whenever the connection may have taken some in: also at the end, for who sends and closes is heard too.
async fn attend<C: Future>(mut connection: Pin<&mut C>, calls: &Calls) -> C::Output {
    poll_fn(|cx| {
        let ended = connection.as_mut().poll(cx);
        calls.look();
        ended
    })
    .await
}

/// Ends after the time, or never.
async fn after(time: Option<Duration>) {
    match time {
        Some(time) => sleep(time).await,
        None => pending().await,
    }
}

#[cfg(test)]
mod tests;
