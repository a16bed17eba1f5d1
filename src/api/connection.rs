//! How does a connection live, and how does it end?
//!
//! tonic's server has no bound on what waits to be written, gives all connections the same age, and with a grace for it sends no
//! `GOAWAY`. So each connection is served by h2 itself, with every bound set.

mod guarded;
mod hold;
mod keepalive;
mod turns;

use std::{future::pending, pin::pin, sync::Arc, time::Duration};

use futures_util::FutureExt;
use h2::server::Builder;
use tokio::{
    net::TcpStream,
    sync::OwnedSemaphorePermit,
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;
use tracing::debug;

use super::dispatch::Dispatch;
use crate::config::ServerConfig;
use guarded::Guarded;
use hold::Hold;
use turns::{Call, Turns};

/// Longest headers of a request: names, values and 32 bytes for each.
const HEADER_BYTES_MAX: u32 = 8 * 1024;
/// Streams that the client opened and reset before they were looked at, as a multiple of those that it may have open; with
/// more, the connection is ended. Of a service that is asked too much all streams of a connection may run out of time
/// before it reads them, and those opened after them: to end it for that would cost those that are still of use.
const RESETS_PENDING_FACTOR: usize = 2;
/// Streams that the client's errors made us reset; with more, the connection is ended.
const ERROR_RESETS_MAX: usize = 256;
/// Of what a client may send before the service has read it, on a stream and on all of a connection: as much as hyper lets it.
const WINDOW_BYTES: u32 = 1024 * 1024;
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

    fn http2(&self) -> Builder {
        let config = &self.0;
        let mut http2 = Builder::new();
        http2
            .initial_window_size(WINDOW_BYTES)
            .initial_connection_window_size(WINDOW_BYTES)
            .max_concurrent_streams(config.streams_max)
            .max_send_buffer_size(config.send_buffer_bytes_max)
            .max_header_list_size(HEADER_BYTES_MAX)
            .max_pending_accept_reset_streams(config.streams_max as usize * RESETS_PENDING_FACTOR)
            .max_local_error_reset_streams(Some(ERROR_RESETS_MAX));
        http2
    }

    /// How old a connection may become; `None` for as old as it likes. `chance` is from 0 to 1.
    fn age(&self, chance: f64) -> Option<Duration> {
        let age_max = self.0.connection_age_max;
        (!age_max.is_zero()).then(|| age_max.mul_f64(1.0 + AGE_SPREAD * chance))
    }

    /// Speaks HTTP/2 with who has connected; `None` where that fails, or `cut` comes first.
    async fn begin<A: FnMut(Call)>(
        &self,
        io: TcpStream,
        answer: A,
        cut: &CancellationToken,
    ) -> Option<Turns<A>> {
        let hold = Hold::new(Instant::now());
        let io = Guarded::new(io, self.0.preface_timeout, self.0.write_timeout, hold.clone());
        let connection = cut.run_until_cancelled(self.http2().handshake(io)).await?.ok()?;
        Some(Turns { connection, hold, answer })
    }

    /// Ends when the client does not answer pings.
    fn lost<A>(&self, turns: &mut Turns<A>) -> impl Future<Output = ()> + use<A> {
        let pings = turns.connection.ping_pong().expect("nobody has taken them");
        let (interval, patience) = (self.0.keepalive_interval, self.0.keepalive_timeout);
        keepalive::lost(pings, turns.hold.clone(), interval, patience)
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
        let told = leaving.clone();
        let answer = move |call| dispatch.call(call, &told);
        // In a place of its own, which is free again once it has begun: idle connections are many.
        let Some(mut turns) = Box::pin(self.begin(io, answer, &cut)).await else {
            return debug!("connection ended before it began");
        };
        let mut lost = pin!(self.lost(&mut turns).fuse());
        let grace = tokio::select! {
            ended = turns.end(lost.as_mut()) => return debug!(?ended, "connection ended"),
            () = after(self.age(chance)) => Some(self.0.connection_age_grace),
            // The stop has a grace of its own, after which all that is left is dropped.
            () = leaving.cancelled() => None,
        };
        debug!(?grace, "connection told to go away");
        leaving.cancel();
        turns.go_away();
        let ended = tokio::select! {
            ended = turns.end(lost) => Some(ended),
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
        None => pending().await,
    }
}

#[cfg(test)]
mod tests;
