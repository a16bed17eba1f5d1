//! When does a socket stand still?
//!
//! While a connection answers what has come: replies would go out one by one, and what comes meanwhile would be taken in
//! before it. So a turn first sends and takes in all that it can, then holds its socket and answers. The replies go out
//! together with the next turn.
//!
//! Nor is the end of what a client says heard before all its calls are: HTTP/2 would forget them.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::Relaxed},
};

use parking_lot::Mutex;
use tokio::time::Instant;

/// What a connection and its socket tell each other. Both are of one task.
#[derive(Debug, Clone)]
pub(super) struct Hold(Arc<State>);

#[derive(Debug)]
struct State {
    held: AtomicBool,
    /// Whether there may be calls that nobody has looked at.
    fresh: AtomicBool,
    /// When something came last.
    heard_at: Mutex<Instant>,
}

impl Hold {
    /// Nothing is held, and nothing has come yet.
    pub(super) fn new(now: Instant) -> Self {
        let (held, fresh) = (AtomicBool::new(false), AtomicBool::new(false));
        Self(Arc::new(State { held, fresh, heard_at: Mutex::new(now) }))
    }

    /// A turn begins: the socket may send and be read.
    pub(super) fn release(&self) {
        self.0.held.store(false, Relaxed);
    }

    /// The socket stands still until the next turn.
    pub(super) fn hold(&self) {
        self.0.held.store(true, Relaxed);
    }

    /// Whether it does.
    pub(super) fn is_held(&self) -> bool {
        self.0.held.load(Relaxed)
    }

    /// Something has come.
    pub(super) fn hear(&self, now: Instant) {
        self.0.fresh.store(true, Relaxed);
        *self.0.heard_at.lock() = now;
    }

    /// All calls that have come were looked at.
    pub(super) fn settle(&self) {
        self.0.fresh.store(false, Relaxed);
    }

    /// Whether there may be calls that nobody has looked at.
    pub(super) fn is_fresh(&self) -> bool {
        self.0.fresh.load(Relaxed)
    }

    /// When something came last.
    pub(super) fn heard_at(&self) -> Instant {
        *self.0.heard_at.lock()
    }
}
