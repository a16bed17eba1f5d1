//! Which node holds which beginnings of prompts?
//!
//! Filled by our own placements, mirrors each node's cache: as many blocks as it holds, least recently used ones
//! first out, tails before heads. Engines that tell of their caches correct it (`stored`, `removed`). A node that holds a
//! block holds those before it, and blocks that came together are kept together: so how much of a prompt each node holds is
//! found by a look at each place where prompts part, not at each block. That is so after every change: what hangs below a
//! block goes with it, and nothing is added to a block that is not there.
//!
//! Keys must be what [`BlockKey`] promises: the same key, the same blocks before it. Of placements that break the promise is
//! kept what does not contradict the tree; a lookup that breaks it gets a wrong depth, of no more blocks than it asks for.

mod finder;
mod forest;
mod lively;
mod occupancy;
mod overlaps;
mod slab;

use std::sync::Arc;

use parking_lot::RwLock;

use crate::domain::{prefix::BlockKey, time::Instant};

use forest::Forest;
pub use occupancy::{Occupancy, Renewals, Wanted};
pub use overlaps::Overlaps;

/// Blocks that go at once: picks wait for the lock.
const PIECE: u32 = 1024;

/// The index.
#[derive(Debug, Default)]
pub struct Prefixes {
    forest: RwLock<Forest>,
}

impl Prefixes {
    /// A place for a node that holds so many blocks; `None` where as many nodes have one as can.
    pub fn join(&self, capacity: u32) -> Option<Arc<Occupancy>> {
        self.forest.write().join(capacity)
    }

    /// The node is gone. Nothing that is still under way to it finds a place any more, nor does it in the place of
    /// a node that has its number next.
    pub fn leave(&self, occupancy: &Occupancy) {
        self.clear(occupancy);
        let mut forest = self.forest.write();
        if forest.is_member(occupancy) {
            // What was placed meanwhile.
            forest.shrink(occupancy.number(), 0, u32::MAX);
            forest.leave(occupancy);
        }
    }

    /// The node's cache is empty.
    pub fn clear(&self, occupancy: &Occupancy) {
        self.shrink(occupancy, 0);
    }

    /// The node's cache holds so many blocks.
    pub fn resize(&self, occupancy: &Occupancy, capacity: u32) {
        if occupancy.capacity() != capacity {
            occupancy.set_capacity(capacity);
            self.shrink(occupancy, capacity);
        }
    }

    /// How many leading blocks each node holds.
    pub fn overlaps(&self, blocks: &[BlockKey]) -> Overlaps {
        let mut overlaps = Overlaps::default();
        if !blocks.is_empty() {
            self.forest.read().search(blocks, &mut overlaps);
        }
        overlaps
    }

    /// The node has these, or soon will: adds what it lacks and renews the rest; pushes out its oldest blocks over
    /// its capacity, and the fullest node's while all together take more than `bytes_max`. Says how long ago those renewed were
    /// last used.
    pub fn place(
        &self,
        occupancy: &Occupancy,
        blocks: &[BlockKey],
        bytes_max: u64,
        now: Instant,
    ) -> Renewals {
        self.warm(occupancy);
        let mut forest = self.forest.write();
        if !forest.is_member(occupancy) {
            return Renewals::default();
        }
        let (renewals, has_changed) =
            forest.place(occupancy, fitting(occupancy, blocks), occupancy::tick(now));
        if has_changed || forest.bytes() > bytes_max {
            forest.shrink(occupancy.number(), occupancy.capacity(), u32::MAX);
            forest.shrink_all(bytes_max);
        }
        renewals
    }

    /// The node says that it holds these, each the next one's parent, the first after `parent` or at the beginning of a
    /// prompt. Those before them were used too. Of a parent that is not known to be there nothing follows: what it
    /// follows is not known either.
    pub fn stored(
        &self,
        occupancy: &Occupancy,
        parent: Option<BlockKey>,
        blocks: &[BlockKey],
        bytes_max: u64,
        now: Instant,
    ) {
        let path = match parent {
            Some(parent) => self.path(occupancy, parent),
            None => Some(Vec::new()),
        };
        if let Some(mut chain) = path {
            chain.extend_from_slice(blocks);
            self.place(occupancy, &chain, bytes_max, now);
        }
    }

    /// The prompt up to a block that the engine names; `None` where the node does not hold that.
    fn path(&self, occupancy: &Occupancy, block: BlockKey) -> Option<Vec<BlockKey>> {
        self.listen(occupancy);
        let forest = self.forest.read();
        let is_known = !occupancy.is_cold() && forest.is_member(occupancy);
        is_known.then(|| forest.path(occupancy.number(), block))?
    }

    /// The node's engine tells what it holds. Once that is known, picks need not wait for it to be noted.
    fn listen(&self, occupancy: &Occupancy) {
        if self.forest.read().is_telling(occupancy.number()) {
            return;
        }
        let mut forest = self.forest.write();
        if forest.is_member(occupancy) {
            forest.note_telling(occupancy.number());
        }
    }

    /// The node says that it holds these no longer; then it does not hold what comes after them either.
    pub fn removed(&self, occupancy: &Occupancy, blocks: &[BlockKey]) {
        if blocks.is_empty() {
            return;
        }
        let mut forest = self.forest.write();
        if forest.is_member(occupancy) {
            forest.remove(occupancy.number(), blocks);
        }
    }

    /// Bytes that the index takes, about.
    pub fn bytes(&self) -> u64 {
        self.forest.read().bytes()
    }

    /// Blocks held, counted once for each node that holds them.
    pub fn blocks(&self) -> usize {
        self.forest.read().held()
    }

    /// A node that has lost all starts anew.
    fn warm(&self, occupancy: &Occupancy) {
        if occupancy.is_cold() {
            self.clear(occupancy);
            occupancy.warm();
        }
    }

    /// In pieces: picks wait for the lock.
    fn shrink(&self, occupancy: &Occupancy, most: u32) {
        loop {
            let mut forest = self.forest.write();
            if !forest.is_member(occupancy) || !forest.shrink(occupancy.number(), most, PIECE) {
                return;
            }
        }
    }
}

/// As much of a prompt as the node's cache holds.
fn fitting<'a>(occupancy: &Occupancy, blocks: &'a [BlockKey]) -> &'a [BlockKey] {
    &blocks[..blocks.len().min(occupancy.capacity() as usize)]
}

#[cfg(test)]
mod tests;
