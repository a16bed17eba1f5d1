//! What of a node goes into the expected cost of any request?
//!
//! All that does not depend on the request, in such numbers that nothing need be divided by a speed for each of them. A
//! wait falls as time passes; told as the moment when the work will be done it stays as it is.

use super::{
    prefixes::{Occupancy, Wanted},
    reading::Reading,
};
use crate::domain::time::Instant;

/// Work a millisecond of a node of weight 1 while nothing is known of any.
const SPEED: f64 = 10.0;
/// Further than anything that is told.
const FAR: f64 = 1e30;
/// Most milliseconds for one unit of work: as good as never.
const PACE_MAX: f64 = 1e12;
/// Speeds that differ from the mean by no more than this share are the mean.
const SAME_SPEED: f64 = 0.01;

/// Where a node stands among others. Times are in milliseconds since the beginning of time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Standing {
    /// When the node will have done what its last report said (or the foremost of our picks, where it tells none).
    pub free_at: f64,
    /// Milliseconds that the rest of our picks will take it after that.
    pub backlog: f64,
    /// Milliseconds for one unit of work.
    pub pace: f64,
    /// Sequences that write their answers.
    pub decoding: f64,
    /// Milliseconds that all tokens of its contexts would take, if reading one were one unit of work.
    pub context: f64,
    /// Blocks in its cache that are likely to be wanted again.
    pub lively: f64,
    /// Share of its cache that one block takes; 0 where the cache is not known.
    pub block_share: f64,
    /// What a typical request costs, once the node is free; 0 where nobody has said what is typical.
    pub typical: f64,
    /// What it cost when that was said, counted from the beginning of time: since then it has fallen by no more than time
    /// has passed.
    pub typical_at: f64,
}

/// The speeds of a pool, in work a millisecond.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Speeds {
    /// The least that is known: nodes whose own is not known are taken to be no faster.
    pub least: f64,
    /// The mean.
    pub mean: f64,
}

impl Default for Speeds {
    fn default() -> Self {
        Self { least: SPEED, mean: SPEED }
    }
}

impl Speeds {
    /// Of nodes with these speeds, as far as they are known.
    pub fn of(speeds: impl Iterator<Item = Option<f64>> + Clone) -> Self {
        let least = speeds.clone().flatten().reduce(f64::min).unwrap_or(SPEED);
        let (sum, count) =
            speeds.fold((0.0, 0_usize), |(sum, count), speed| (sum + speed.unwrap_or(least), count + 1));
        Self { least, mean: if count > 0 { sum / count as f64 } else { least } }
    }

    /// A node's speed. Equal nodes never tell quite the same, and the one that seems the quickest by a hair would get all.
    fn speed(&self, own: Option<f64>) -> f64 {
        let own = own.unwrap_or(self.least);
        let is_usual = (own - self.mean).abs() <= SAME_SPEED * self.mean;
        if is_usual { self.mean } else { own }
    }
}

impl Standing {
    /// Of a node that must not be picked: nothing is dearer. Not infinite, for products with 0 must be 0.
    pub const OUT: Self = Self {
        free_at: FAR,
        backlog: FAR,
        pace: FAR,
        decoding: FAR,
        context: FAR,
        lively: FAR,
        block_share: FAR,
        typical: FAR,
        typical_at: FAR,
    };
    /// Whatever costs so much must not be picked.
    pub const OUT_COST: f64 = FAR / 2.0;

    /// Where a node stands by its reading.
    pub fn of(reading: &Reading, occupancy: Option<&Occupancy>, speeds: &Speeds, wanted: &Wanted) -> Self {
        let pace = (1.0 / (speeds.speed(reading.speed) * reading.health())).min(PACE_MAX);
        let Reading { outstanding, .. } = reading;
        // The work that is being done, since when, and what comes after it.
        let (under_way, since, rest) = match reading.told_work {
            Some((work, taken)) => (work, taken, outstanding.unreported),
            None => (outstanding.front, outstanding.front_since, outstanding.all - outstanding.front),
        };
        Self {
            free_at: millis(since) + under_way * pace,
            backlog: rest * pace,
            pace,
            decoding: f64::from(reading.decoding()),
            context: reading.kv_active() * pace,
            lively: occupancy.map_or(0.0, |occupancy| occupancy.lively(wanted)),
            block_share: occupancy.map_or(0.0, |_| 1.0 / f64::from(reading.cache_blocks.max(1))),
            typical: 0.0,
            typical_at: 0.0,
        }
    }

    /// The same where a typical request costs so much, but for the wait.
    #[must_use]
    pub fn with_typical(self, cost: f64, now: Instant) -> Self {
        let typical = self.backlog + cost;
        Self { typical, typical_at: self.free_at.max(millis(now)) + typical, ..self }
    }
}

/// How busy nodes with such waits are, from 0 to 1: those with `full` milliseconds or more before them count in full. `None` of
/// none.
pub fn busy(waits: impl Iterator<Item = f64>, full: f64) -> Option<f64> {
    let (sum, count) =
        waits.fold((0.0, 0_usize), |(sum, count), wait| (sum + (wait / full).min(1.0), count + 1));
    (count > 0).then(|| sum / count as f64)
}

/// A moment, in milliseconds since the beginning of time.
pub fn millis(moment: Instant) -> f64 {
    moment.as_nanos() as f64 / 1e6
}
