//! One thread, one runtime and one listening socket for each core.
//!
//! The system deals connections out to the sockets (`SO_REUSEPORT`). A connection, its requests and their decisions stay on
//! one thread: nothing is handed over, and replies that are ready together leave together. That takes half the processor
//! time of a runtime whose threads take work from each other.

use std::{io, net::SocketAddr, num::NonZeroUsize, thread};

use tokio::{
    net::{TcpListener, TcpSocket},
    runtime::Builder,
    sync::oneshot,
};
use tracing::error;

use crate::api::{self, Serving};

/// Connections that wait to be accepted, for each socket.
const BACKLOG: u32 = 1024;

/// That a thread ended; an error, where it panicked.
pub(super) type Ended = oneshot::Receiver<()>;

/// As many threads as are asked for, or as there are cores.
pub(super) fn count(asked: usize) -> usize {
    if asked > 0 { asked } else { thread::available_parallelism().map_or(1, NonZeroUsize::get) }
}

/// So many sockets that listen at one address. They all listen when this returns, so that no connection is refused.
pub(super) async fn listen(address: SocketAddr, count: usize) -> io::Result<Vec<std::net::TcpListener>> {
    // Sockets that share an address would share it with another service of the same user too: that is an error here, as it
    // is elsewhere. And port 0 must be the same for all.
    let address = TcpListener::bind(address).await?.local_addr()?;
    (0..count).map(|_| shared(address)?.into_std()).collect()
}

fn shared(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    socket.set_reuseport(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Serves on a thread of its own.
pub(super) fn serve(number: usize, listener: std::net::TcpListener, serving: Serving) -> io::Result<Ended> {
    let (ended, told) = oneshot::channel();
    let runtime = Builder::new_current_thread().enable_all().build()?;
    thread::Builder::new().name(format!("serve-{number}")).spawn(move || {
        runtime.block_on(async {
            match TcpListener::from_std(listener) {
                Ok(listener) => api::serve(listener, serving).await,
                Err(error) => error!(%error, "a thread cannot use its socket"),
            }
        });
        // Nobody listens where the service has been dropped.
        let _ = ended.send(());
    })?;
    Ok(told)
}
