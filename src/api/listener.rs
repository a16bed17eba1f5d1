//! Which connections are let in?
//!
//! tonic's own accept loop has no cap, and spins when the process is out of file descriptors. So the service accepts its
//! connections itself.

mod seldom;

use std::{io, sync::Arc, time::Duration};

use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, sleep},
};
use tracing::warn;

use seldom::Seldom;

/// Pause after a failed accept: out of descriptors, trying at once again would burn a core.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Lets connections in: as many at once as there are places.
#[derive(Debug)]
pub struct Gate {
    listener: TcpListener,
    places: Arc<Semaphore>,
    turned_away: Seldom,
    failed: Seldom,
}

impl Gate {
    /// Nothing is accepted yet.
    pub fn new(listener: TcpListener, places: Arc<Semaphore>) -> Self {
        Self { listener, places, turned_away: Seldom::default(), failed: Seldom::default() }
    }

    /// The next connection, and the place that it takes until that is dropped. Closes those for which there is none. Safe
    /// to cancel.
    pub async fn next(&mut self) -> (TcpStream, OwnedSemaphorePermit) {
        loop {
            let accepted = self.listener.accept().await;
            let now = Instant::now();
            match accepted {
                Ok((io, peer)) => match Arc::clone(&self.places).try_acquire_owned() {
                    Ok(place) => return (io, place),
                    Err(_full) => {
                        if let Some(untold) = self.turned_away.tell(now) {
                            warn!(%peer, untold, "connection closed: `server.connections_max` are open");
                        }
                    }
                },
                // The peer's doing, and no reason to let others wait.
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                Err(error) => {
                    if let Some(untold) = self.failed.tell(now) {
                        warn!(%error, untold, "cannot accept connections: they wait; hint: raise the limit of open files");
                    }
                    sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }
}
