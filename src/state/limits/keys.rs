//! What does each key owe, a million of them in little memory?
//!
//! A key is its digest, 16 bytes, and what it owes its arrival time, 8 more. The table is cut into shards of a short
//! lock each. (`dashmap` is such a table too, but cannot be swept a shard at a time.) Keys that owe nothing are
//! forgotten: they are as good as new.
//!
//! What time it is (see `steady`) is found out under the shard's lock, so that a key never sees time go back: not where a
//! caller was held up between reading the clock and coming here, and the key was forgotten meanwhile.

use std::{
    collections::{HashMap, hash_map::Entry},
    fmt,
    num::NonZeroU32,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
    time::Duration,
};

use parking_lot::Mutex;

use super::{
    gcra::{Arrival, NEVER_ASKED, Pace, Refusal},
    steady::Steady,
};
use crate::domain::{
    digest::{AsIs, Digest},
    limit::Fit,
    time::Instant,
};

/// Shards; a sweep holds one of them for as long as it takes to look at its share of the keys.
const SHARDS: usize = 64;
/// A full shard is searched for forgettable keys no more often than this.
const SEARCH_PAUSE: Duration = Duration::from_millis(200);
/// A shard with room for this many times its keys gives memory back.
const SLACK: usize = 4;

/// All keys.
pub(super) struct Keys {
    shards: Box<[Mutex<Shard>]>,
    /// Entries in all shards; reserved before an entry is made, let go after it is dropped.
    count: AtomicUsize,
    steady: Steady,
}

#[derive(Default)]
struct Shard {
    arrivals: HashMap<Digest, Arrival, AsIs>,
    searched: Option<Instant>,
}

/// No room for another key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Full;

impl Default for Keys {
    fn default() -> Self {
        let shards = (0..SHARDS).map(|_| Mutex::default()).collect();
        Self { shards, count: AtomicUsize::new(0), steady: Steady::default() }
    }
}

impl Keys {
    pub(super) fn len(&self) -> usize {
        self.count.load(Relaxed)
    }

    /// Takes `cost` units of the key, which may be the `room`th at most. What does not fit changes nothing.
    pub(super) fn take(
        &self,
        key: Digest,
        pace: Pace,
        cost: NonZeroU32,
        room: usize,
        now: Instant,
    ) -> Result<Result<(), Refusal>, Full> {
        self.change(key, room, now, |arrival, steady| {
            pace.take(arrival, cost, steady).map_err(|refusal| refusal.told_at(now, steady))
        })
    }

    /// Takes `units` of the key whether they fit or not.
    pub(super) fn debit(
        &self,
        key: Digest,
        pace: Pace,
        units: u64,
        room: usize,
        now: Instant,
    ) -> Result<(), Full> {
        let debit = |arrival, now| Ok::<_, Refusal>(pace.debit(arrival, units, now));
        self.change(key, room, now, debit).map(|_| ())
    }

    /// Gives `units` back to the key. One that owes nothing then is forgotten.
    pub(super) fn give_back(&self, key: Digest, pace: Pace, units: u64, now: Instant) {
        let mut shard = self.shard(key).lock();
        let now = self.steady.advance(now);
        let Entry::Occupied(mut entry) = shard.arrivals.entry(key) else { return };
        let arrival = pace.give_back(*entry.get(), units);
        if owes(arrival, now) {
            entry.insert(arrival);
        } else {
            entry.remove();
            self.count.fetch_sub(1, Relaxed);
        }
    }

    /// What [`take`](Self::take) would say, and the whole units that are left. Changes nothing: so a full table is not
    /// searched for what it could forget.
    pub(super) fn peek(
        &self,
        key: Digest,
        pace: Pace,
        cost: NonZeroU32,
        room: usize,
        now: Instant,
    ) -> Result<(Fit, u64), Full> {
        let shard = self.shard(key).lock();
        let steady = self.steady.read(now);
        let arrival = match shard.arrivals.get(&key) {
            Some(arrival) => *arrival,
            None if self.len() < room => NEVER_ASKED,
            None => return Err(Full),
        };
        let fit = match pace.take(arrival, cost, steady) {
            Ok(_) => Fit::Now,
            Err(refusal) => refusal.told_at(now, steady).fit,
        };
        Ok((fit, pace.remaining(arrival, steady)))
    }

    /// Forgets the keys that owe nothing.
    pub(super) fn sweep(&self, now: Instant) {
        for shard in &self.shards {
            let mut shard = shard.lock();
            self.search(&mut shard, self.steady.advance(now));
            shard.shrink();
        }
    }

    fn change<E>(
        &self,
        key: Digest,
        room: usize,
        now: Instant,
        change: impl FnOnce(Arrival, Instant) -> Result<Arrival, E>,
    ) -> Result<Result<(), E>, Full> {
        let mut shard = self.shard(key).lock();
        let now = self.steady.advance(now);
        if let Some(arrival) = shard.arrivals.get_mut(&key) {
            return Ok(change(*arrival, now).map(|changed| *arrival = changed));
        }
        let arrival = match change(NEVER_ASKED, now) {
            Ok(arrival) => arrival,
            Err(refused) => return Ok(Err(refused)),
        };
        self.reserve(&mut shard, room, now)?;
        shard.arrivals.insert(key, arrival);
        Ok(Ok(()))
    }

    /// Makes room for one more key: where all is taken, by what this shard can forget.
    fn reserve(&self, shard: &mut Shard, room: usize, now: Instant) -> Result<(), Full> {
        if self.count_one(room) {
            return Ok(());
        }
        if shard.searched.is_none_or(|at| now.since(at) >= SEARCH_PAUSE) {
            self.search(shard, now);
        }
        if self.count_one(room) { Ok(()) } else { Err(Full) }
    }

    fn count_one(&self, room: usize) -> bool {
        self.count.fetch_update(Relaxed, Relaxed, |count| (count < room).then_some(count + 1)).is_ok()
    }

    fn search(&self, shard: &mut Shard, now: Instant) {
        let before = shard.arrivals.len();
        shard.arrivals.retain(|_, arrival| owes(*arrival, now));
        shard.searched = Some(now);
        self.count.fetch_sub(before - shard.arrivals.len(), Relaxed);
    }

    #[expect(clippy::cast_possible_truncation, reason = "any part of the half will do")]
    fn shard(&self, key: Digest) -> &Mutex<Shard> {
        // The table within the shard goes by the lower half.
        &self.shards[key.halves().0 as usize % SHARDS]
    }
}

impl Shard {
    fn shrink(&mut self) {
        let wanted = self.arrivals.len();
        if self.arrivals.capacity() / SLACK > wanted {
            self.arrivals.shrink_to(2 * wanted);
        }
    }
}

/// A million of digests do not belong into logs.
impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").field("count", &self.count).finish_non_exhaustive()
    }
}

fn owes(arrival: Arrival, now: Instant) -> bool {
    arrival > now.as_nanos()
}

#[cfg(test)]
mod tests;
