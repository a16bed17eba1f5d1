//! How many of the latest attempts succeeded?
//!
//! Counted exactly, in ten buckets that cover the window. An average weighted by the gaps between arrivals would
//! hide a total outage behind one burst of old successes.

use std::time::Duration;

use crate::domain::time::Instant;

const BUCKETS: usize = 10;

/// Successes and failures over the latest span of time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SuccessWindow {
    bucket_nanos: u64,
    buckets: [Bucket; BUCKETS],
}

#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct Bucket {
    /// Which multiple of the bucket's width it counts.
    epoch: u64,
    counts: Counts,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Attempts that succeeded.
    pub succeeded: u32,
    /// Attempts that failed.
    pub failed: u32,
}

impl Counts {
    /// All attempts.
    pub fn total(self) -> u32 {
        self.succeeded.saturating_add(self.failed)
    }

    /// Share of failures, from 0 to 1; 0 where nothing happened.
    pub fn failure_ratio(self) -> f64 {
        f64::from(self.failed) / f64::from(self.total().max(1))
    }
}

impl SuccessWindow {
    /// An empty window over `span`.
    pub fn new(span: Duration) -> Self {
        let nanos = u64::try_from(span.as_nanos()).unwrap_or(u64::MAX);
        Self { bucket_nanos: (nanos / BUCKETS as u64).max(1), buckets: [Bucket::default(); BUCKETS] }
    }

    /// Counts an attempt.
    #[expect(clippy::cast_possible_truncation, reason = "a remainder below the number of buckets")]
    pub fn observe(&mut self, now: Instant, succeeded: bool) {
        let epoch = self.epoch(now);
        let bucket = &mut self.buckets[(epoch % BUCKETS as u64) as usize];
        // An older epoch means that the ring went round; a newer one, that the clock went back: start afresh too.
        if bucket.epoch != epoch {
            *bucket = Bucket { epoch, counts: Counts::default() };
        }
        let count = if succeeded { &mut bucket.counts.succeeded } else { &mut bucket.counts.failed };
        *count = count.saturating_add(1);
    }

    /// Whether any failure is remembered, within the window or before it.
    pub fn has_failures(&self) -> bool {
        self.buckets.iter().any(|bucket| bucket.counts.failed > 0)
    }

    /// What happened within the window that ends now.
    pub fn at(&self, now: Instant) -> Counts {
        let newest = self.epoch(now);
        let live = self.buckets.iter().filter(|b| b.epoch <= newest && newest - b.epoch < BUCKETS as u64);
        live.fold(Counts::default(), |sum, b| Counts {
            succeeded: sum.succeeded.saturating_add(b.counts.succeeded),
            failed: sum.failed.saturating_add(b.counts.failed),
        })
    }

    fn epoch(&self, now: Instant) -> u64 {
        now.as_nanos() / self.bucket_nanos
    }
}

#[cfg(test)]
mod tests;
