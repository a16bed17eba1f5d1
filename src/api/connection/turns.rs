//! How does a connection come to its calls?
//!
//! In turns. Each sends what was answered, takes in all that has come, and then answers it on the spot: most calls are
//! answered the moment they are looked at, and a task costs more than the decision. Only a call that has to wait becomes
//! one.
//!
//! So a thread has never taken in more than one connection's calls before it comes to them. Under overload the rest waits with
//! the callers, who know which are still of use; a thread that read all connections first would come to each call when its
//! caller has gone.

use std::{
    future::poll_fn,
    panic::{AssertUnwindSafe, catch_unwind},
    task::{Context, Poll},
};

use h2::{
    Reason, RecvStream,
    server::{Connection, SendResponse},
};
use prost::bytes::Bytes;
use tonic::codegen::http::Request;
use tracing::debug;

use super::{guarded::Guarded, hold::Hold};

/// Calls that one turn answers: the other connections of a thread wait no longer than these take. What one turn takes in is
/// bounded by tokio, which lets a task read so often before it must give way.
const CALLS_A_TURN: usize = 128;

/// A call as it comes, and where its reply goes.
pub(super) type Call = (Request<RecvStream>, SendResponse<Bytes>);

/// A connection, and what answers its calls or lets them wait elsewhere.
pub(super) struct Turns<A> {
    pub(super) connection: Connection<Guarded, Bytes>,
    pub(super) hold: Hold,
    pub(super) answer: A,
}

impl<A: FnMut(Call)> Turns<A> {
    /// Takes turns until the connection has ended; where the client is `lost`, it and all its streams are ended.
    pub(super) async fn end(&mut self, lost: impl Future<Output = ()>) -> Result<(), h2::Error> {
        tokio::select! {
            ended = poll_fn(|cx| self.poll(cx)) => return ended,
            () = lost => debug!("client does not answer pings"),
        }
        self.connection.abrupt_shutdown(Reason::NO_ERROR);
        poll_fn(|cx| self.poll(cx)).await
    }

    /// Tells the client to open no more streams; the connection ends with those that are open.
    pub(super) fn go_away(&mut self) {
        self.connection.graceful_shutdown();
    }

    /// Takes a turn; ready when the connection has ended.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), h2::Error>> {
        self.hold.release();
        for answered in 0..CALLS_A_TURN {
            let Poll::Ready(call) = self.connection.poll_accept(cx)? else {
                self.hold.settle();
                return if answered == 0 { Poll::Pending } else { again(cx) };
            };
            let Some(call) = call else { return Poll::Ready(Ok(())) };
            self.answer(call);
        }
        again(cx)
    }

    fn answer(&mut self, call: Call) {
        self.hold.hold();
        // As a task's panic ends the task alone. The hook has told it.
        if catch_unwind(AssertUnwindSafe(|| (self.answer)(call))).is_err() {
            debug!("call ended by a panic");
        }
    }
}

/// What was answered goes out with the next turn.
fn again<T>(cx: &mut Context<'_>) -> Poll<T> {
    cx.waker().wake_by_ref();
    Poll::Pending
}

#[cfg(test)]
mod tests;
