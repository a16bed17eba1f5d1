//! How long until the next try to connect?
//!
//! Full jitter: uniform between zero and a bound that doubles with each try. Of a thousand agents that lose their
//! service at once, few come back in the same moment ("Exponential Backoff and Jitter", AWS, 2015).

use std::time::Duration;

use crate::domain::time::Chance;

/// Pauses between tries.
#[derive(Debug)]
pub(super) struct Backoff {
    first: Duration,
    longest: Duration,
    tries: u32,
    chance: Chance,
}

impl Backoff {
    /// Pauses below `first`, then below twice that, up to `longest`.
    pub(super) fn new(first: Duration, longest: Duration, chance: Chance) -> Self {
        Self { first, longest, tries: 0, chance }
    }

    /// The next pause.
    pub(super) fn next(&mut self) -> Duration {
        let bound = self.first.saturating_mul(1 << self.tries.min(20)).min(self.longest);
        self.tries = self.tries.saturating_add(1);
        bound.mul_f64(self.chance.f64())
    }

    /// The last try succeeded.
    pub(super) fn reset(&mut self) {
        self.tries = 0;
    }
}

#[cfg(test)]
mod tests;
