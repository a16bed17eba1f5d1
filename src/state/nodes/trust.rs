//! Is this node still there?
//!
//! One moment answers it: until when the node is trusted. Every sign of life moves it ahead, the end of the agent's
//! stream pulls it in, and it is compared with the clock where the pick reads the node: no timer has to fire for a
//! silent node to lose its picks.
//!
//! An agent can die while its node is fine, so a node that has lost its agent is judged by its outcomes. After
//! the stream's end it has a short grace; a good outcome of a request picked since then (or one that comes after
//! the grace, when the connections of a dead node would have broken) renews the trust. A failure before any of
//! these ends it at once: agent and request agree that the node is gone.

use std::time::Duration;

use crate::domain::{policy::FreshnessPolicy, time::Instant};

/// How long a node is trusted to be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trust {
    until: Instant,
    stream: Stream,
}

/// What became of the agent's stream, and what requests have told since.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stream {
    /// It is open, or there never was one.
    Open,
    /// It ended at this moment; nothing is known since.
    Ended { at: Instant },
    /// It ended, and a request has gone well since.
    Vouched { at: Instant },
    /// It ended, and the first thing heard since was a failure.
    Condemned { at: Instant },
}

/// Whether a node gives signs of life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// It does.
    Present,
    /// Its agent is gone, its outcomes are good.
    Unreported,
    /// It does not; nothing else is known.
    Silent,
    /// Its agent is gone and its requests fail.
    Gone,
}

impl Trust {
    /// Of a node that nobody reports for: it is there until its breaker says otherwise.
    pub const UNATTENDED: Self = Self { until: Instant::NEVER, stream: Stream::Open };

    /// Of a node whose agent has just registered it.
    pub fn registered(policy: &FreshnessPolicy, now: Instant) -> Self {
        Self { until: now + policy.stale_after, stream: Stream::Open }
    }

    /// Whether silence counts against the node at all.
    pub fn is_attended(&self) -> bool {
        self.until != Instant::NEVER
    }

    /// What is known at this moment.
    pub fn at(&self, now: Instant) -> Presence {
        match self.stream {
            Stream::Condemned { .. } => Presence::Gone,
            _ if now >= self.until => Presence::Silent,
            Stream::Open => Presence::Present,
            Stream::Ended { .. } | Stream::Vouched { .. } => Presence::Unreported,
        }
    }

    /// When the trust runs out if nothing is heard until then; `None` where that changes nothing any more.
    pub fn ends_after(&self, now: Instant) -> Option<Instant> {
        let counts =
            now < self.until && self.is_attended() && !matches!(self.stream, Stream::Condemned { .. });
        counts.then_some(self.until)
    }

    /// Time since the trust ran out; zero while it lasts.
    pub fn lost_for(&self, now: Instant) -> Duration {
        now.since(self.until)
    }

    /// Whether the agent's stream has ended.
    pub fn is_closed(&self) -> bool {
        self.stream != Stream::Open
    }

    /// The agent reported.
    pub fn reported(&mut self, policy: &FreshnessPolicy, now: Instant) {
        self.extend(now + policy.stale_after);
    }

    /// The agent's stream ended.
    pub fn closed(&mut self, policy: &FreshnessPolicy, now: Instant) {
        if self.is_attended() {
            self.stream = Stream::Ended { at: now };
            self.until = self.until.min(now + policy.close_grace);
        }
    }

    /// A request that was picked at `picked` went well.
    pub fn went_well(&mut self, policy: &FreshnessPolicy, now: Instant, picked: Instant) {
        match self.stream {
            Stream::Open => self.extend(now + policy.stale_after),
            Stream::Ended { at } | Stream::Vouched { at } | Stream::Condemned { at } => {
                if picked >= at || now >= at + policy.close_grace {
                    self.stream = Stream::Vouched { at };
                    self.extend(now + policy.outcome_trust);
                }
            }
        }
    }

    /// A request failed. A node that has been vouched for is left to its breaker, as others are: one failure in a
    /// hundred must not cost it all its requests, with nothing left to clear it.
    pub fn failed(&mut self, now: Instant) {
        if let Stream::Ended { at } = self.stream {
            self.stream = Stream::Condemned { at };
            self.until = self.until.min(now);
        }
    }

    fn extend(&mut self, until: Instant) {
        self.until = self.until.max(until);
    }
}

#[cfg(test)]
mod tests;
