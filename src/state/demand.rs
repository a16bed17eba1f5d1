//! What do requests of a pool ask of it, and how busy does that keep it?
//!
//! Learned from picks and outcomes, apart for each pool: what is worth keeping in a cache for one model is not for another.

use std::time::Duration;

use dashmap::DashMap;
use foldhash::quality::RandomState;
use parking_lot::Mutex;

use super::nodes::prefixes::Renewals;
use crate::domain::{degradation::PoolKey, time::Instant};

/// Most pools that are learned of. Models are named by callers: beyond it, a pool is as if nothing were known of it.
const POOLS_MAX: usize = 4096;
/// Over how long it is averaged how busy the pool is.
const BUSY_TAU: Duration = Duration::from_secs(10);
/// Over how long refusals are counted.
const REFUSED_TAU: Duration = Duration::from_secs(30);
/// A pool that nobody asks for is forgotten after this.
const FORGET_AFTER: Duration = Duration::from_hours(1);
/// What each request weighs in means over requests.
const GAIN: f64 = 0.005;
/// What each answer weighs in the mean of their lengths.
const OUTPUT_GAIN: f64 = 0.01;
/// What the pauses seen so far keep of their weight with each request.
const PAUSE_KEEP: f64 = 0.999;

/// What is known of each pool.
#[derive(Debug, Default)]
pub struct Demand {
    pools: DashMap<PoolKey, Mutex<Figures>, RandomState>,
}

/// What is known of one pool.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Figures {
    /// How busy its nodes are, from 0 to 1.
    pub busy: f64,
    /// Share of a prompt that some node holds, from 0 to 1.
    pub reuse: f64,
    /// Tokens of an answer.
    pub output_tokens: f64,
    /// Share of requests refused for being late, from 0 to 1.
    pub refused: f64,
    pause_count: f64,
    pause_seconds: f64,
    busy_seen: Instant,
    seen: Instant,
}

/// What one pick has seen of its pool.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Seen {
    /// How busy its nodes were, from 0 to 1; `None` where no cost was reckoned.
    pub busy: Option<f64>,
    /// Share of the prompt that the node with most of it holds; `None` where the request does not tell its prefix.
    pub reuse: Option<f64>,
    /// How long ago its blocks were last used.
    pub renewals: Renewals,
    /// Whether it was refused for being late.
    pub refused: bool,
}

impl Default for Figures {
    fn default() -> Self {
        Self {
            busy: 0.0,
            reuse: 0.0,
            output_tokens: 300.0,
            refused: 0.0,
            pause_count: 1.0,
            pause_seconds: 60.0,
            busy_seen: Instant::ZERO,
            seen: Instant::ZERO,
        }
    }
}

impl Figures {
    /// Time after which blocks that are asked for again are, in the mean.
    pub fn pause(&self) -> Duration {
        Duration::from_secs_f64((self.pause_seconds / self.pause_count).clamp(0.0, 86_400.0))
    }

    fn observe(&mut self, seen: Seen, now: Instant) {
        let fresh =
            |since: Instant, tau: Duration| 1.0 - (-now.since(since).as_secs_f64() / tau.as_secs_f64()).exp();
        if let Some(busy) = seen.busy {
            self.busy += fresh(self.busy_seen, BUSY_TAU) * (busy - self.busy);
            self.busy_seen = now;
        }
        if let Some(reuse) = seen.reuse {
            self.reuse += GAIN * (reuse - self.reuse);
        }
        // At least so much, for requests that come together.
        let refused = f64::from(u8::from(seen.refused));
        self.refused += fresh(self.seen, REFUSED_TAU).max(GAIN) * (refused - self.refused);
        // Never below one: among millions of requests that renew nothing both would come to 0, and tell no pause.
        let keep = if self.pause_count > 1.0 { PAUSE_KEEP } else { 1.0 };
        self.pause_count = self.pause_count * keep + f64::from(seen.renewals.count);
        self.pause_seconds = self.pause_seconds * keep + seen.renewals.seconds;
        self.seen = now;
    }
}

impl Demand {
    /// What is known of a pool.
    pub fn get(&self, pool: &PoolKey) -> Figures {
        self.pools.get(pool).map(|figures| *figures.lock()).unwrap_or_default()
    }

    /// Takes in what a pick has seen.
    pub fn observe(&self, pool: &PoolKey, seen: Seen, now: Instant) {
        self.change(pool, |figures| figures.observe(seen, now));
    }

    /// Takes in how long an answer was.
    pub fn observe_output(&self, pool: &PoolKey, tokens: u32) {
        self.change(pool, |figures| {
            figures.output_tokens += OUTPUT_GAIN * (f64::from(tokens) - figures.output_tokens);
        });
    }

    /// Forgets pools that nobody asks for any more.
    pub fn sweep(&self, now: Instant) {
        self.pools.retain(|_, figures| now.since(figures.lock().seen) < FORGET_AFTER);
    }

    fn change(&self, pool: &PoolKey, change: impl FnOnce(&mut Figures)) {
        if let Some(figures) = self.pools.get(pool) {
            change(&mut figures.lock());
        } else if self.pools.len() < POOLS_MAX {
            change(&mut self.pools.entry(pool.clone()).or_default().lock());
        }
    }
}

#[cfg(test)]
mod tests;
