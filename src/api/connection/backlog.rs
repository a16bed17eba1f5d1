//! How much may a thread have taken in that it has not come to yet?
//!
//! A call that was read waits until the thread comes to it. Without a bound on those that wait, a service of which too much
//! is asked takes in all that is sent, comes to each call when its caller has gone, and answers nobody in time. So while as
//! many wait as may, nothing more is read: calls then wait with their callers, who know which are still of use, and what was
//! read in vain is little. Calls that the thread has come to do not count, however long they take: a pick that waits for a
//! node holds up nobody.

use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

/// Calls that were read and that the thread has not come to: some milliseconds of work. One connection's share (`streams_max`)
/// may come on top, as what came together is read together.
const WAITING_MAX: usize = 256;

/// Calls that wait for a thread, or for the threads of one runtime.
#[derive(Debug, Clone, Default)]
pub(super) struct Backlog(Arc<AtomicUsize>);

/// A call that waits; when this is dropped it no longer does.
#[derive(Debug)]
struct Waits(Arc<AtomicUsize>);

impl Backlog {
    /// Whether as many wait as may. They pass without anyone's doing: who finds it full asks again after those before it.
    pub(super) fn is_full(&self) -> bool {
        self.0.load(Relaxed) >= WAITING_MAX
    }

    /// Counts a call from now until it is first looked at.
    pub(super) fn until_begun<F: Future>(&self, call: F) -> impl Future<Output = F::Output> + use<F> {
        self.0.fetch_add(1, Relaxed);
        let mut waits = Some(Waits(Arc::clone(&self.0)));
        async move {
            let mut call = pin!(call);
            std::future::poll_fn(|cx| {
                let polled = call.as_mut().poll(cx);
                waits = None;
                polled
            })
            .await
        }
    }
}

impl Drop for Waits {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

#[cfg(test)]
mod tests;
