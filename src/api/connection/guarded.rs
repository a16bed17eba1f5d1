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
    time::{Instant, Sleep, sleep},
};

use super::hold::Hold;

/// Length of the HTTP/2 client preface.
const PREFACE_BYTES: usize = 24;

/// A client's socket, with deadlines for both directions.
#[derive(Debug)]
pub(super) struct Guarded {
    io: TcpStream,
    /// Until the preface has come: when it must have, and how much of it is missing.
    preface: Option<(Pin<Box<Sleep>>, usize)>,
    /// While the client takes nothing: when it must have.
    stalled: Option<Pin<Box<Sleep>>>,
    write_timeout: Duration,
    hold: Hold,
}

impl Guarded {
    /// Stands still while `hold` says so.
    pub(super) fn new(io: TcpStream, preface_timeout: Duration, write_timeout: Duration, hold: Hold) -> Self {
        // Without this a reply can wait 40 ms for the client's acknowledgement. A failure costs only that.
        let _ = io.set_nodelay(true);
        let preface = Some((Box::pin(sleep(preface_timeout)), PREFACE_BYTES));
        Self { io, preface, stalled: None, write_timeout, hold }
    }

    /// So many bytes were read; 0 at the end of what the client says.
    fn heard(&mut self, bytes: usize, cx: &mut Context<'_>) -> Poll<()> {
        if let Some((_, missing)) = &mut self.preface {
            *missing = missing.saturating_sub(bytes);
            self.preface = self.preface.take().filter(|(_, missing)| *missing > 0);
        } else if bytes == 0 && self.hold.is_fresh() {
            // What came before is answered first.
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        if bytes > 0 {
            self.hold.hear(Instant::now());
        }
        Poll::Ready(())
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
        if self.hold.is_held() {
            return Poll::Pending;
        }
        let before = buf.filled().len();
        if let Poll::Ready(read) = Pin::new(&mut self.io).poll_read(cx, buf) {
            return self.heard(buf.filled().len() - before, cx).map(|()| read);
        }
        let Some((deadline, _)) = &mut self.preface else { return Poll::Pending };
        ready!(deadline.as_mut().poll(cx));
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "no HTTP/2 preface in time")))
    }
}

/// Not vectored: h2 would then send each reply over 256 bytes by a write of its own.
impl AsyncWrite for Guarded {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        if self.hold.is_held() {
            return Poll::Pending;
        }
        let written = Pin::new(&mut self.io).poll_write(cx, buf);
        self.written(cx, written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests;
