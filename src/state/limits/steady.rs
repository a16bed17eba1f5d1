//! What time is it, where callers read the clock and then arrive in another order?
//!
//! The latest moment that anyone told. To a caller that comes with an earlier one, nobody is in debt for what others did
//! "later"; and no key is as good as new twice over. Time that was set back by more than [`SETBACK_MAX`] is believed:
//! whoever told the later moment was wrong, and waiting for it could take for ever.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use crate::domain::time::Instant;

/// Setbacks up to this are of callers that came late.
const SETBACK_MAX: Duration = Duration::from_mins(1);

/// The latest moment.
#[derive(Debug, Default)]
pub(super) struct Steady(AtomicU64);

impl Steady {
    /// Takes in a caller's time and tells the one to go by.
    pub(super) fn advance(&self, now: Instant) -> Instant {
        let steady = self.read(now);
        if steady == now {
            self.reach(now);
        }
        steady
    }

    /// The time to go by, without taking anything in.
    pub(super) fn read(&self, now: Instant) -> Instant {
        let latest = Instant::from_nanos(self.0.load(Relaxed));
        if latest.since(now) > SETBACK_MAX { now } else { latest.max(now) }
    }

    /// Nothing hangs on the order of this and other writes: an old value is an earlier caller's time, no more.
    fn reach(&self, now: Instant) {
        let latest = Instant::from_nanos(self.0.fetch_max(now.as_nanos(), Relaxed));
        if latest.since(now) > SETBACK_MAX {
            self.0.store(now.as_nanos(), Relaxed);
        }
    }
}

#[cfg(test)]
mod tests;
