//! Which pools are busy?
//!
//! Only pools off their normal rung have an entry: a fleet that is well writes nothing here. Decisions read the rung that
//! the load has led to so far, because where a pool stands between two thresholds depends on where it came from.

use std::{
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
    time::Duration,
};

use dashmap::{DashMap, Entry};

use crate::{
    domain::{
        decision::Rung,
        degradation::{Fate, Pool, PoolKey},
        time::Instant,
    },
    learn::{drain::Drain, window::SuccessWindow},
};

/// Most busy pools. Models are named by callers, and a node may serve any: beyond this a pool has no memory, and its
/// rungs are left where they are entered.
const POOLS_MAX: usize = 4096;
/// Over how long requests that were turned away are counted: no longer than a pool that is well again may take to show it.
const TURNED_AWAY_WINDOW: Duration = Duration::from_secs(1);
/// The most of its demand that a pool is taken to turn away. Of the little that is left nothing could be told.
const TURNED_AWAY_MAX: f64 = 0.9;
/// Fewer requests than this tell nothing of how much is turned away.
const REQUESTS_MIN: u32 = 10;
/// A pool that nobody asks for is forgotten after this.
const FORGET_AFTER: Duration = Duration::from_mins(1);

/// The pools off their normal rung.
#[derive(Debug, Default)]
pub struct PoolTable {
    busy: DashMap<PoolKey, BusyPool>,
    /// At least as many as there are: 0 nearly always, and then nobody need look.
    count: AtomicUsize,
}

/// What is known of a busy pool.
#[derive(Debug, Clone, Copy)]
pub struct BusyPool {
    /// Where it stands.
    pub rung: Rung,
    /// How fast its load falls.
    pub drain: Drain,
    /// Which of its requests it took.
    taken: SuccessWindow,
    seen: Instant,
}

impl PoolTable {
    /// What is known of a pool; `None` where it is well.
    pub fn get(&self, key: &PoolKey) -> Option<BusyPool> {
        if self.count.load(Relaxed) == 0 {
            return None;
        }
        self.busy.get(key).map(|pool| *pool)
    }

    /// Takes in a pool as a decision found it, and what became of the request. Says whether the pool has changed its rung.
    pub fn observe(&self, pool: &Pool, fate: Fate, now: Instant) -> Option<Rung> {
        if pool.rung == Rung::Normal {
            // Reading first: pools are well nearly always, and picks must not wait for each other to say so.
            if self.count.load(Relaxed) == 0 || !self.busy.contains_key(&pool.key) {
                return None;
            }
            let well = self.busy.remove(&pool.key)?;
            self.count.fetch_sub(1, Relaxed);
            return Some(well).map(|_| Rung::Normal);
        }
        let is_full = self.count.load(Relaxed) >= POOLS_MAX;
        match self.busy.entry(pool.key.clone()) {
            Entry::Occupied(mut entry) => entry.get_mut().observe(pool, fate, now),
            Entry::Vacant(_) if is_full => None,
            Entry::Vacant(entry) => {
                self.count.fetch_add(1, Relaxed);
                let mut busy = BusyPool::new(now);
                let changed = busy.observe(pool, fate, now);
                entry.insert(busy);
                changed
            }
        }
    }

    /// Forgets pools that nobody asks for any more.
    pub fn sweep(&self, now: Instant) {
        self.busy.retain(|_, pool| {
            let stays = now.since(pool.seen) < FORGET_AFTER;
            self.count.fetch_sub(usize::from(!stays), Relaxed);
            stays
        });
    }
}

impl BusyPool {
    fn new(now: Instant) -> Self {
        let taken = SuccessWindow::new(TURNED_AWAY_WINDOW);
        Self { rung: Rung::Normal, drain: Drain::default(), taken, seen: now }
    }

    /// The load that the pool would have if it took all, where it has `load` from what it takes.
    pub fn demand(&self, load: f64, now: Instant) -> f64 {
        let counts = self.taken.at(now);
        if counts.total() < REQUESTS_MIN {
            return load;
        }
        load / (1.0 - counts.failure_ratio().min(TURNED_AWAY_MAX))
    }

    fn observe(&mut self, pool: &Pool, fate: Fate, now: Instant) -> Option<Rung> {
        let changed = (self.rung != pool.rung).then_some(pool.rung);
        self.rung = pool.rung;
        self.drain.observe(now, pool.load);
        if fate != Fate::Unneeded {
            self.taken.observe(now, fate == Fate::Taken);
        }
        self.seen = now;
        changed
    }
}

#[cfg(test)]
mod tests;
