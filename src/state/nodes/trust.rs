//! Is this node still there?
//!
//! One moment answers it: until when the node is trusted. Every sign of life moves it ahead, the end of the agent's
//! stream pulls it in, and it is compared with the clock where the pick reads the node: no timer has to fire for a
//! silent node to lose its picks.
//!
//! An agent can die while its node is fine, so a node that has lost its agent is judged by its outcomes. After
//! the stream's end it has a short grace; a good outcome of a request picked since then (or one that comes after
//! the grace, when the connections of a dead node would have broken) renews the trust. A failure meanwhile ends it at once: agent and
//! request agree that the node is gone.

use crate::domain::{policy::FreshnessPolicy, time::Instant};

/// How long a node is trusted to be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trust {
    until: Instant,
    /// When the agent's stream ended, if it did.
    closed: Option<Instant>,
    /// Whether a request failed after the stream's end.
    condemned: bool,
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
    pub const UNATTENDED: Self = Self { until: Instant::NEVER, closed: None, condemned: false };

    /// Of a node whose agent has just registered it.
    pub fn registered(policy: &FreshnessPolicy, now: Instant) -> Self {
        Self { until: now + policy.stale_after, closed: None, condemned: false }
    }

    /// Whether silence counts against the node at all.
    pub fn is_attended(&self) -> bool {
        self.until != Instant::NEVER
    }

    /// What is known at this moment.
    pub fn at(&self, now: Instant) -> Presence {
        match (self.condemned, now < self.until, self.closed) {
            (true, ..) => Presence::Gone,
            (false, false, _) => Presence::Silent,
            (false, true, Some(_)) => Presence::Unreported,
            (false, true, None) => Presence::Present,
        }
    }

    /// Time since the trust ran out; zero while it lasts.
    pub fn lost_for(&self, now: Instant) -> std::time::Duration {
        now.since(self.until)
    }

    /// Whether the agent's stream has ended.
    pub fn is_closed(&self) -> bool {
        self.closed.is_some()
    }

    /// The agent reported.
    pub fn reported(&mut self, policy: &FreshnessPolicy, now: Instant) {
        self.extend(now + policy.stale_after);
    }

    /// The agent's stream ended.
    pub fn closed(&mut self, policy: &FreshnessPolicy, now: Instant) {
        if self.is_attended() {
            self.closed = Some(now);
            self.until = self.until.min(now + policy.close_grace);
        }
    }

    /// A request that was picked at `picked` went well.
    pub fn went_well(&mut self, policy: &FreshnessPolicy, now: Instant, picked: Instant) {
        match self.closed {
            None => self.extend(now + policy.stale_after),
            Some(closed) if picked >= closed || now >= closed + policy.close_grace => {
                self.condemned = false;
                self.extend(now + policy.outcome_trust);
            }
            Some(_) => {}
        }
    }

    /// A request failed.
    pub fn failed(&mut self, now: Instant) {
        if self.is_attended() && self.closed.is_some() {
            self.condemned = true;
            self.until = self.until.min(now);
        }
    }

    fn extend(&mut self, until: Instant) {
        self.until = self.until.max(until);
    }
}

#[cfg(test)]
mod tests;
