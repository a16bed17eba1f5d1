//! What is worth a line in the log when it comes by the thousand?
//!
//! The first of a second, with the number of those before it that were not told: a flood of connections must not become a flood
//! of lines.

use std::time::Duration;

use tokio::time::Instant;

/// Events of one kind are told at most once in so long.
const INTERVAL: Duration = Duration::from_secs(1);

/// One kind of events.
#[derive(Debug, Default)]
pub(super) struct Seldom {
    next: Option<Instant>,
    untold: u64,
}

impl Seldom {
    /// Whether an event at `now` is to be told, and how many before it were not.
    pub(super) fn tell(&mut self, now: Instant) -> Option<u64> {
        if self.next.is_some_and(|next| now < next) {
            self.untold = self.untold.saturating_add(1);
            return None;
        }
        self.next = Some(now + INTERVAL);
        Some(std::mem::take(&mut self.untold))
    }
}

#[cfg(test)]
mod tests;
