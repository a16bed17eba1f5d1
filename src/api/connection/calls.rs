//! Must each call be a task of its own?
//!
//! Most are answered the moment they are looked at, and a task costs more than the decision. So what a connection has taken
//! in is looked at by the connection itself, after it has read all that had come; only a call that has to wait becomes a
//! task.
//!
//! So a thread has never taken in more than one connection's calls before it comes to them. Under overload the rest waits with
//! the callers, who know which are still of use; a thread that read all connections first would come to each call when its
//! caller has gone.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use hyper::rt::Executor;
use parking_lot::Mutex;
use tracing::debug;

type Call = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The calls that a connection has taken in and that were not looked at yet.
#[derive(Clone, Default)]
pub(super) struct Calls {
    new: Arc<Mutex<Vec<Call>>>,
}

impl Calls {
    /// Looks at each new call once. What is answered wakes the connection, which then sends it.
    #[expect(clippy::disallowed_methods, reason = "the connection drains its calls: it ends after them")]
    pub(super) fn look(&self) {
        let mut new = std::mem::take(&mut *self.new.lock());
        for mut call in new.drain(..) {
            match look(&mut call) {
                // It is looked at again as a task, which tells it whom to wake.
                Ok(Poll::Pending) => drop(tokio::spawn(call)),
                Ok(Poll::Ready(())) => {}
                // As a task's panic ends the task alone. The hook has told it.
                Err(_panic) => debug!("call ended by a panic"),
            }
        }
        self.keep(new);
    }

    /// Keeps the memory for the next ones.
    fn keep(&self, empty: Vec<Call>) {
        let mut new = self.new.lock();
        if new.is_empty() {
            *new = empty;
        }
    }
}

fn look(call: &mut Call) -> Result<Poll<()>, Box<dyn Any + Send>> {
    let mut nobody = Context::from_waker(Waker::noop());
    catch_unwind(AssertUnwindSafe(|| call.as_mut().poll(&mut nobody)))
}

impl<F: Future<Output = ()> + Send + 'static> Executor<F> for Calls {
    fn execute(&self, call: F) {
        self.new.lock().push(Box::pin(call));
    }
}

#[cfg(test)]
mod tests;
