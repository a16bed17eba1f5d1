//! Which connections are let in?
//!
//! tonic's own accept loop has no cap, and spins when the process is out of file descriptors. So the service accepts its
//! connections itself.

mod pages;
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

/// Places of connections, shared by all who let them in.
#[derive(Debug, Clone)]
pub struct Places {
    free: Arc<Semaphore>,
    all: usize,
}

impl Places {
    /// So many, all free.
    pub fn new(all: usize) -> Self {
        let all = all.min(Semaphore::MAX_PERMITS);
        Self { free: Arc::new(Semaphore::new(all)), all }
    }

    /// Takes one, if there is one.
    fn take(&self) -> Option<OwnedSemaphorePermit> {
        let place = Arc::clone(&self.free).try_acquire_owned().ok()?;
        pages::suit(self.all.saturating_sub(self.free.available_permits()));
        Some(place)
    }
}

/// Lets connections in: as many at once as there are places.
#[derive(Debug)]
pub struct Gate {
    listener: TcpListener,
    places: Places,
    turned_away: Seldom,
    failed: Seldom,
}

impl Gate {
    /// Nothing is accepted yet.
    pub fn new(listener: TcpListener, places: Places) -> Self {
        Self { listener, places, turned_away: Seldom::default(), failed: Seldom::default() }
    }

    /// The next connection, and the place that it takes until that is dropped. Closes those for which there is none. Safe
    /// to cancel.
    pub async fn next(&mut self) -> (TcpStream, OwnedSemaphorePermit) {
        loop {
            let accepted = self.listener.accept().await;
            let now = Instant::now();
            match accepted {
                Ok((io, peer)) => match self.places.take() {
                    Some(place) => return (io, place),
                    None => {
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
