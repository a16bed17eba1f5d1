//! How full is a node's cache, and with what that is likely to be wanted again?
//!
//! Read without a lock; the index writes it, after each change and under its own. The reader takes of the sums the one
//! that fits the pauses it has seen.

use std::{
    cmp::Ordering,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use super::lively::{Lively, SPACING, TAUS, TICKS, fade};
use crate::{
    domain::time::Instant,
    state::nodes::marks::{Change, Watch},
};

/// A share of capacity that is all of it, and what corrections can make of it at most.
const SHARE_FULL: u32 = 1000;
const SHARE_MIN: u32 = 250;
const SHARE_MAX: u32 = 4000;

/// One node's cache, as the index has it.
#[derive(Debug)]
pub struct Occupancy {
    number: u16,
    capacity: AtomicU32,
    /// Share of its capacity that its caching makes use of, in thousandths, as its answers have shown.
    share: AtomicU32,
    held: AtomicU32,
    /// The sums as bits of `f64`, at the tick of the last change.
    lively: [AtomicU64; TAUS.len()],
    at: AtomicU32,
    /// Whether the node has lost all that the index says it holds.
    cold: AtomicBool,
    watch: Arc<Watch>,
}

/// For how long after its last use a block is likely to be wanted again, at one moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Wanted {
    /// The longest of our spans that is no longer, and the share that the next one has.
    lower: usize,
    upper_share: f64,
    tick: u32,
}

impl Wanted {
    /// Where blocks that come again do so after `pause` in the mean: a block counts until it has been idle for several.
    pub fn within(pause: Duration, now: Instant) -> Self {
        // Between two of the spans, by their logarithms.
        let place = ((8.0 * pause.as_secs_f64()).max(1e-3) / TAUS[0]).ln() / SPACING.ln();
        let place = place.clamp(0.0, (TAUS.len() - 1) as f64);
        let lower = (0..TAUS.len()).rev().find(|index| *index as f64 <= place).unwrap_or(0);
        Self { lower, upper_share: place - lower as f64, tick: tick(now) }
    }

    /// Whether the span is almost as long: within a seventh, for the mean pause of a few thousand requests moves by some
    /// hundredths all the time.
    pub fn is_near(&self, other: &Self) -> bool {
        let place = |wanted: &Self| wanted.lower as f64 + wanted.upper_share;
        (place(self) - place(other)).abs() < 0.1
    }
}

/// How long ago blocks that were asked for again had been used.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Renewals {
    /// Blocks.
    pub count: u32,
    /// Sum of the spans in seconds.
    pub seconds: f64,
}

impl Renewals {
    /// So many blocks, each after that span.
    pub(super) fn add(&mut self, count: u32, span: f64) {
        self.count += count;
        self.seconds += f64::from(count) * span;
    }
}

impl Occupancy {
    pub(super) fn new(number: u16, capacity: u32) -> Self {
        Self {
            number,
            capacity: AtomicU32::new(capacity),
            share: AtomicU32::new(SHARE_FULL),
            held: AtomicU32::new(0),
            lively: Default::default(),
            at: AtomicU32::new(0),
            cold: AtomicBool::new(false),
            watch: Arc::default(),
        }
    }

    /// The boards that are told of each change.
    pub(in crate::state::nodes) fn watch(&self) -> &Arc<Watch> {
        &self.watch
    }

    /// The node's number in the index.
    pub fn number(&self) -> u16 {
        self.number
    }

    /// The number by which prompts are looked up; `None` while it has lost all that the index says it holds.
    pub fn holder(&self) -> Option<u16> {
        (!self.is_cold()).then_some(self.number)
    }

    /// Blocks that the cache holds when it is full.
    pub fn capacity(&self) -> u32 {
        self.capacity.load(Relaxed)
    }

    /// Takes in that of a prompt so many leading blocks were expected and so many found. A cache that forgets sooner
    /// than its mirror is taken to be smaller, quickly; one that remembers longer to be larger, slowly. (The steps are those
    /// of d-TTL: Basu et al., "Adaptive TTL-based caching for content delivery".)
    pub fn correct(&self, expected: u32, found: u32) {
        let change = |share: u32| match found.cmp(&expected) {
            Ordering::Less => (share * 95 / 100).max(SHARE_MIN),
            Ordering::Greater => (share * 101 / 100 + 1).min(SHARE_MAX),
            Ordering::Equal => share,
        };
        let _ = self.share.fetch_update(Relaxed, Relaxed, |share| Some(change(share)));
        self.watch.changed(Change::Any);
    }

    /// So many blocks, which nobody told, as its answers have shown them to be.
    pub fn corrected(&self, guessed: u32) -> u32 {
        let blocks = u64::from(guessed) * u64::from(self.share.load(Relaxed)) / u64::from(SHARE_FULL);
        u32::try_from(blocks).unwrap_or(u32::MAX)
    }

    /// Blocks that it is taken to hold.
    pub fn held(&self) -> u32 {
        if self.is_cold() { 0 } else { self.held.load(Relaxed) }
    }

    /// The node has lost what it held: it counts as empty at once, and its blocks go with the next placement.
    pub fn chill(&self) {
        self.cold.store(true, Relaxed);
        self.watch.changed(Change::Any);
    }

    pub(super) fn is_cold(&self) -> bool {
        self.cold.load(Relaxed)
    }

    pub(super) fn warm(&self) {
        self.cold.store(false, Relaxed);
        self.watch.changed(Change::Any);
    }

    /// Blocks that are likely to be wanted again.
    pub fn lively(&self, wanted: &Wanted) -> f64 {
        if self.is_cold() {
            return 0.0;
        }
        let passed = wanted.tick.saturating_sub(self.at.load(Relaxed));
        let sum = |index: usize, share: f64| {
            if share > 0.0 {
                share * f64::from_bits(self.lively[index].load(Relaxed)) * fade(passed, TAUS[index])
            } else {
                0.0
            }
        };
        sum(wanted.lower, 1.0 - wanted.upper_share)
            + sum((wanted.lower + 1).min(TAUS.len() - 1), wanted.upper_share)
    }

    pub(super) fn set_capacity(&self, capacity: u32) {
        self.capacity.store(capacity, Relaxed);
    }

    /// Says how things are now.
    pub(super) fn publish(&self, held: u32, lively: &Lively) {
        let (sums, at) = lively.sums();
        self.held.store(held, Relaxed);
        for (told, sum) in self.lively.iter().zip(sums) {
            told.store(sum.to_bits(), Relaxed);
        }
        self.at.store(at, Relaxed);
        self.watch.changed(Change::Sums);
    }
}

/// A moment as a tick: eight years fit.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "saturates, and time is not negative"
)]
pub(super) fn tick(now: Instant) -> u32 {
    (now.since(Instant::ZERO).as_secs_f64() * TICKS) as u32
}
