//! Which connections are let in, and for how long may they say nothing?
//!
//! tonic's own accept loop has no cap, spins when the process is out of file descriptors, and waits for ever for
//! a client that connects and never speaks: such a one would hold up the stop, and keepalive does not see it before
//! the HTTP/2 preface. So the service accepts its connections itself.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use futures_util::{Stream, stream};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Sleep, sleep},
};
use tonic::transport::server::{Connected, TcpConnectInfo};
use tracing::warn;

/// Pause after a failed accept: out of descriptors, trying at once again would burn a core.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// Length of the HTTP/2 client preface.
const PREFACE_BYTES: usize = 24;

/// Accepts connections: as many at once as there are places, each of which must speak within `preface_timeout`.
pub fn accept(
    listener: TcpListener,
    places: Arc<Semaphore>,
    preface_timeout: Duration,
) -> impl Stream<Item = io::Result<Connection>> {
    stream::unfold((listener, places), move |(listener, places)| async move {
        let (io, place) = next(&listener, &places).await;
        let connection = Connection::new(io, place, preface_timeout);
        Some((Ok(connection), (listener, places)))
    })
}

async fn next(listener: &TcpListener, places: &Arc<Semaphore>) -> (TcpStream, OwnedSemaphorePermit) {
    loop {
        match listener.accept().await {
            Ok((io, peer)) => match Arc::clone(places).try_acquire_owned() {
                Ok(place) => return (io, place),
                Err(_full) => warn!(%peer, "connection closed: `server.connections_max` are open"),
            },
            Err(error) => {
                warn!(%error, "cannot accept connections");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// A client's connection.
#[derive(Debug)]
pub struct Connection {
    io: TcpStream,
    /// Until the preface has come: when it must have, and how much of it is missing.
    preface: Option<(Pin<Box<Sleep>>, usize)>,
    _place: OwnedSemaphorePermit,
}

impl Connection {
    fn new(io: TcpStream, place: OwnedSemaphorePermit, preface_timeout: Duration) -> Self {
        // Without this a reply can wait 40 ms for the client's acknowledgement. A failure costs only that.
        let _ = io.set_nodelay(true);
        let preface = Some((Box::pin(sleep(preface_timeout)), PREFACE_BYTES));
        Self { io, preface, _place: place }
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        if let Poll::Ready(result) = Pin::new(&mut self.io).poll_read(cx, buf) {
            let read = buf.filled().len() - before;
            self.preface =
                self.preface.take().filter(|(_, missing)| *missing > read).map(|(d, m)| (d, m - read));
            return Poll::Ready(result);
        }
        let Some((deadline, _)) = &mut self.preface else { return Poll::Pending };
        ready!(deadline.as_mut().poll(cx));
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "no HTTP/2 preface in time")))
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }
}

impl Connected for Connection {
    type ConnectInfo = TcpConnectInfo;

    fn connect_info(&self) -> TcpConnectInfo {
        self.io.connect_info()
    }
}
