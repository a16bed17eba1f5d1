//! How does a connection live, and how does it end?
//!
//! tonic's server has no bound on what waits to be written, gives all connections the same age, and with a grace for it sends no
//! `GOAWAY`. So each connection is served by hyper itself, with every bound set.

mod backlog;
pub mod deadline;
mod guarded;

use std::{convert::Infallible, time::Duration};

use hyper::{body::Incoming, server::conn::http2::Builder, service::service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::{net::TcpStream, sync::OwnedSemaphorePermit, time::sleep};
use tokio_util::sync::CancellationToken;
use tonic::{
    Request,
    body::Body,
    codegen::{Service, http},
    service::Routes,
};
use tracing::debug;

use crate::config::ServerConfig;
use backlog::Backlog;
use guarded::Guarded;

/// Longest headers of a request: names, values and 32 bytes for each.
const HEADER_BYTES_MAX: u32 = 8 * 1024;
/// Streams that the client opened and reset before they were looked at, as a multiple of those that it may have open; with
/// more, the connection is ended. While the service does not read, all streams of a connection may run out of time, and those
/// opened after them: to end it for that would cost those that are still of use.
const RESETS_PENDING_FACTOR: usize = 2;
/// Streams that the client's errors made us reset; with more, the connection is ended.
const ERROR_RESETS_MAX: usize = 256;
/// The random share of its age by which a connection may become older: clients that came together do not leave together.
const AGE_SPREAD: f64 = 0.1;

/// How connections are served.
#[derive(Debug, Clone)]
pub(super) struct Terms {
    http2: Builder<TokioExecutor>,
    preface_timeout: Duration,
    write_timeout: Duration,
    age_max: Duration,
    age_grace: Duration,
    backlog: Backlog,
}

/// The end of one connection draws near: streams on it are to end. Each request carries it.
#[derive(Debug, Clone)]
struct Leaving(CancellationToken);

impl Terms {
    /// As configured.
    pub(super) fn new(config: &ServerConfig) -> Self {
        let mut http2 = Builder::new(TokioExecutor::new());
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
        Self {
            http2,
            preface_timeout: config.preface_timeout,
            write_timeout: config.write_timeout,
            age_max: config.connection_age_max,
            age_grace: config.connection_age_grace,
            backlog: Backlog::default(),
        }
    }

    /// How old a connection may become; `None` for as old as it likes. `chance` is from 0 to 1.
    fn age(&self, chance: f64) -> Option<Duration> {
        (!self.age_max.is_zero()).then(|| self.age_max.mul_f64(1.0 + AGE_SPREAD * chance))
    }

    /// Serves a connection until it ends. When it is old (`chance`, from 0 to 1, says how old), or `leaving` is cancelled, the
    /// client is told to go away: its streams are ended, and the rest gets its time to finish. `cut` ends it then at once.
    pub(super) async fn serve(
        self,
        (io, _place): (TcpStream, OwnedSemaphorePermit),
        routes: Routes,
        leaving: CancellationToken,
        cut: CancellationToken,
        chance: f64,
    ) {
        let age = self.age(chance);
        let io =
            TokioIo::new(Guarded::new(io, self.preface_timeout, self.write_timeout, self.backlog.clone()));
        let told = Leaving(leaving.clone());
        let backlog = self.backlog.clone();
        let service =
            service_fn(move |request| backlog.until_begun(answer(routes.clone(), request, told.clone())));
        let mut connection = std::pin::pin!(self.http2.serve_connection(io, service));
        let grace = tokio::select! {
            ended = connection.as_mut() => return debug!(?ended, "connection ended"),
            () = after(age) => Some(self.age_grace),
            // The stop has a grace of its own, after which all that is left is dropped.
            () = leaving.cancelled() => None,
        };
        debug!(?grace, "connection told to go away");
        leaving.cancel();
        connection.as_mut().graceful_shutdown();
        let ended = tokio::select! {
            ended = connection => Some(ended),
            () = after(grace) => None,
            () = cut.cancelled() => None,
        };
        debug!(?ended, "connection ended");
    }
}

/// Ends after the time, or never.
async fn after(time: Option<Duration>) {
    match time {
        Some(time) => sleep(time).await,
        None => std::future::pending().await,
    }
}

fn answer(
    mut routes: Routes,
    mut request: http::Request<Incoming>,
    leaving: Leaving,
) -> impl Future<Output = Result<http::Response<Body>, Infallible>> {
    let limit = deadline::of(request.headers());
    request.extensions_mut().insert(leaving);
    deadline::within(limit, routes.call(request))
}

/// Ends what streams on the connection of a request; `server` where the request came over none.
pub(super) fn leaving<T>(asked: &Request<T>, server: &CancellationToken) -> CancellationToken {
    asked.extensions().get::<Leaving>().map_or_else(|| server.clone(), |leaving| leaving.0.clone())
}

#[cfg(test)]
mod tests;
