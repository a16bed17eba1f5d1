//! How well do kept answers serve? Counts since the start, read by nobody who decides.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::domain::explanation::AnswerVerdict;

/// Counts since the start, and how much is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AnswerStats {
    /// Lookups that found a fresh answer.
    pub hits: u64,
    /// Lookups that found a stale one.
    pub stale_hits: u64,
    /// Lookups that found none.
    pub misses: u64,
    /// Requests that were answered by waiting for their leader.
    pub coalesced: u64,
    /// Answers kept, those in place of an older one included.
    pub stored: u64,
    /// Answers that had to go for want of room.
    pub evicted: u64,
    /// Answers that were purged.
    pub purged: u64,
    /// Answers kept now, about.
    pub entries: u64,
    /// Memory that they take now, about.
    pub bytes: u64,
    /// Questions that have a leader now.
    pub leaders: usize,
}

/// The counters behind [`AnswerStats`]; each stands for itself, so none is ordered with another.
#[derive(Debug, Default)]
pub(super) struct Tally {
    hits: AtomicU64,
    stale_hits: AtomicU64,
    misses: AtomicU64,
    coalesced: AtomicU64,
    stored: AtomicU64,
    evicted: AtomicU64,
    purged: AtomicU64,
}

impl Tally {
    pub(super) fn count(&self, verdict: AnswerVerdict) {
        let counter = match verdict {
            AnswerVerdict::Fresh => &self.hits,
            AnswerVerdict::Stale => &self.stale_hits,
            AnswerVerdict::Pending | AnswerVerdict::Miss => &self.misses,
        };
        counter.fetch_add(1, Relaxed);
    }

    pub(super) fn count_coalesced(&self) {
        self.coalesced.fetch_add(1, Relaxed);
    }

    pub(super) fn count_stored(&self) {
        self.stored.fetch_add(1, Relaxed);
    }

    pub(super) fn count_evicted(&self) {
        self.evicted.fetch_add(1, Relaxed);
    }

    pub(super) fn count_purged(&self, answers: u64) {
        self.purged.fetch_add(answers, Relaxed);
    }

    pub(super) fn stats(&self, entries: u64, bytes: u64, leaders: usize) -> AnswerStats {
        AnswerStats {
            hits: self.hits.load(Relaxed),
            stale_hits: self.stale_hits.load(Relaxed),
            misses: self.misses.load(Relaxed),
            coalesced: self.coalesced.load(Relaxed),
            stored: self.stored.load(Relaxed),
            evicted: self.evicted.load(Relaxed),
            purged: self.purged.load(Relaxed),
            entries,
            bytes,
            leaders,
        }
    }
}
