//! For how long may a client say nothing, or take nothing?
//!
//! HTTP/2 keepalive sees neither a client that never speaks HTTP/2 (which would hold up the stop, too) nor one that sends without
//! pause and never reads.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::{Sleep, sleep},
};

use super::backlog::Backlog;

/// Length of the HTTP/2 client preface.
const PREFACE_BYTES: usize = 24;

/// A client's socket, with deadlines for both directions. While too many calls wait it is not read.
#[derive(Debug)]
pub(super) struct Guarded {
    io: TcpStream,
    /// Until the preface has come: when it must have, and how much of it is missing.
    preface: Option<(Pin<Box<Sleep>>, usize)>,
    /// While the client takes nothing: when it must have.
    stalled: Option<Pin<Box<Sleep>>>,
    write_timeout: Duration,
    backlog: Backlog,
}

impl Guarded {
    pub(super) fn new(
        io: TcpStream,
        preface_timeout: Duration,
        write_timeout: Duration,
        backlog: Backlog,
    ) -> Self {
        // Without this a reply can wait 40 ms for the client's acknowledgement. A failure costs only that.
        let _ = io.set_nodelay(true);
        let preface = Some((Box::pin(sleep(preface_timeout)), PREFACE_BYTES));
        Self { io, preface, stalled: None, write_timeout, backlog }
    }

    /// What became of a write, or that it has waited for too long.
    fn written(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        let write_timeout = self.write_timeout;
        let deadline = self.stalled.get_or_insert_with(|| Box::pin(sleep(write_timeout)));
        ready!(deadline.as_mut().poll(cx));
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the client takes nothing")))
    }
}

impl AsyncRead for Guarded {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.backlog.is_full() {
            // To the end of the queue: those that wait stand before it.
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
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

impl AsyncWrite for Guarded {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write(cx, buf);
        self.written(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write_vectored(cx, bufs);
        self.written(cx, written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }
}

#[cfg(test)]
mod tests;
