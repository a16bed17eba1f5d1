//! What have we sent to this node that is not finished, and how much of it can its last report not know?
//!
//! Charged at the pick, released when the lease ends: a burst between two reports spreads because each pick makes its
//! node dearer at once. The counts are atomics, read without a lock while candidates are scored.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

use crate::domain::time::Instant;

/// Requests in flight on one node.
///
/// Relaxed ordering throughout: each count stands alone, and the lease that charges and releases is itself guarded
/// by its table.
#[derive(Debug, Default)]
pub struct Flight {
    in_flight: AtomicU32,
    /// High half: number of reports applied. Low half: live picks made since the last one. In one word, so that a
    /// report and a release cannot disagree about which picks it covers.
    unseen: AtomicU64,
    /// Until when the trial of a half-open breaker counts, in nanoseconds; 0 for none. It lapses by the clock: a long
    /// answer, or a caller that died, must not keep the node away for as long as its lease.
    trial_until: AtomicU64,
    last_pick: AtomicU64,
}

/// What a pick charged, to be released once.
#[derive(Debug, PartialEq, Eq)]
pub struct Charge {
    reports: u32,
    /// Until when it is a trial, if it is one.
    trial: Option<Instant>,
}

/// Whether a pick tries a node whose breaker is half-open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trial {
    /// It does.
    Yes,
    /// It is an ordinary pick.
    No,
}

/// Another pick was faster to try the node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrialTaken;

/// The counts at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FlightCounts {
    /// Sent and unfinished.
    pub in_flight: u32,
    /// Of these, picked since the last report.
    pub unseen: u32,
    /// Number of the latest pick of this node among all picks; 0 for never.
    pub last_pick: u64,
}

impl Flight {
    /// The counts now.
    pub fn counts(&self) -> FlightCounts {
        FlightCounts {
            in_flight: self.in_flight.load(Relaxed),
            unseen: picks(self.unseen.load(Relaxed)),
            last_pick: self.last_pick.load(Relaxed),
        }
    }

    /// Whether the node is being tried.
    pub fn is_tried(&self, now: Instant) -> bool {
        now.as_nanos() < self.trial_until.load(Relaxed)
    }

    /// Takes the one trial of a half-open node, for so long. Of picks that come together one gets it.
    pub fn try_out(&self, now: Instant, until: Instant) -> Result<Instant, TrialTaken> {
        let take = |held: u64| (held <= now.as_nanos()).then_some(until.as_nanos());
        self.trial_until.fetch_update(Relaxed, Relaxed, take).map(|_| until).map_err(|_| TrialTaken)
    }

    /// Charges the pick with this number.
    pub(super) fn charge(&self, pick: u64, trial: Option<Instant>) -> Charge {
        self.in_flight.fetch_add(1, Relaxed);
        self.last_pick.fetch_max(pick, Relaxed);
        // The low half cannot overflow: live leases are bounded far below 2^32.
        let before = self.unseen.fetch_add(1, Relaxed);
        Charge { reports: reports(before), trial }
    }

    /// Releases what a pick charged.
    pub(super) fn release(&self, charge: &Charge) {
        let before = self.in_flight.fetch_sub(1, Relaxed);
        debug_assert!(before > 0, "a charge is released once");
        if let Some(until) = charge.trial {
            // Unless it lapsed and another pick has taken it since.
            let _ = self.trial_until.compare_exchange(until.as_nanos(), 0, Relaxed, Relaxed);
        }
        // If a report came since the charge, the pick is no longer among the unseen.
        let take_back = |word| (reports(word) == charge.reports).then(|| word - 1);
        let _ = self.unseen.fetch_update(Relaxed, Relaxed, take_back);
    }

    /// A report was applied: it knows of all picks made so far.
    pub(super) fn seen(&self) {
        let next = |word| Some(u64::from(reports(word).wrapping_add(1)) << 32);
        let _ = self.unseen.fetch_update(Relaxed, Relaxed, next);
    }
}

fn reports(word: u64) -> u32 {
    (word >> 32) as u32
}

#[expect(clippy::cast_possible_truncation, reason = "the low half is meant")]
fn picks(word: u64) -> u32 {
    word as u32
}

#[cfg(test)]
mod tests;
