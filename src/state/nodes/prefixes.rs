//! Which node holds which beginnings of prompts?
//!
//! Filled by our own placements, mirrors each node's cache: as many blocks as it holds, least recently used ones
//! first out, tails before heads. Outcomes correct it (`truncate`), and engines that tell of their caches do
//! (`stored`, `removed`). A node that holds a block holds those before it, so how much of a prompt each node holds is
//! found by bisection, not by a walk.

mod occupancy;
mod slots;

use hashbrown::HashTable;
use parking_lot::RwLock;

use crate::domain::{prefix::BlockKey, time::Instant};

pub use occupancy::{Occupancy, Renewals};
use slots::{NONE, Slot, Slots};
use std::sync::Arc;

/// The index.
#[derive(Debug, Default)]
pub struct Prefixes {
    inner: RwLock<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    /// The first slot of each block.
    table: HashTable<u32>,
    slots: Slots,
    holders: Vec<Option<Holder>>,
}

/// One node's part: a list from the most to the least recently used block.
#[derive(Debug)]
struct Holder {
    occupancy: Arc<Occupancy>,
    newest: u32,
    oldest: u32,
    held: u32,
    capacity: u32,
}

/// How many leading blocks of one prompt each node holds.
#[derive(Debug, Default, Clone)]
pub struct Overlaps {
    depths: Vec<(u16, u32)>,
}

impl Overlaps {
    /// Leading blocks that this node holds.
    pub fn depth(&self, occupancy: &Occupancy) -> u32 {
        if occupancy.is_cold() {
            return 0;
        }
        let number = occupancy.number();
        self.depths.binary_search_by_key(&number, |(holder, _)| *holder).map_or(0, |i| self.depths[i].1)
    }

    /// Leading blocks that the node with most of them holds.
    pub fn deepest(&self) -> u32 {
        self.depths.iter().map(|(_, depth)| *depth).max().unwrap_or(0)
    }
}

impl Prefixes {
    /// Bytes of one block that one node holds, with what it takes to find it.
    pub const BLOCK_BYTES: u64 = 48;

    /// A place for a node that holds so many blocks; `None` where as many nodes have one as can.
    pub fn join(&self, capacity: u32) -> Option<Arc<Occupancy>> {
        let mut inner = self.inner.write();
        let free = inner.holders.iter().position(Option::is_none);
        let number = free.unwrap_or(inner.holders.len());
        let occupancy = Arc::new(Occupancy::new(u16::try_from(number).ok()?, capacity));
        let holder =
            Holder { occupancy: Arc::clone(&occupancy), newest: NONE, oldest: NONE, held: 0, capacity };
        if free.is_some() {
            inner.holders[number] = Some(holder);
        } else {
            inner.holders.push(Some(holder));
        }
        Some(occupancy)
    }

    /// The node is gone.
    pub fn leave(&self, occupancy: &Occupancy) {
        self.clear(occupancy);
        self.inner.write().holders[usize::from(occupancy.number())] = None;
    }

    /// The node's cache is empty.
    pub fn clear(&self, occupancy: &Occupancy) {
        // In pieces: picks wait for the lock.
        while self.inner.write().evict(occupancy.number(), 4096) {}
    }

    /// The node's cache holds so many blocks.
    pub fn resize(&self, occupancy: &Occupancy, capacity: u32) {
        if occupancy.capacity() == capacity {
            return;
        }
        let mut inner = self.inner.write();
        if let Some(holder) = inner.holder(occupancy.number()) {
            holder.capacity = capacity;
            occupancy.set_capacity(capacity);
        }
        inner.trim(occupancy.number());
    }

    /// How many leading blocks each node holds.
    pub fn overlaps(&self, blocks: &[BlockKey]) -> Overlaps {
        let mut overlaps = Overlaps::default();
        if !blocks.is_empty() {
            let inner = self.inner.read();
            inner.search(blocks, &mut overlaps.depths);
        }
        overlaps.depths.sort_unstable();
        overlaps
    }

    /// The node has these, or soon will: adds what it lacks and renews the rest; pushes out its oldest blocks over
    /// its capacity, and the fullest node's over `blocks_max` in all. Says how long ago those renewed were last used.
    pub fn place(
        &self,
        occupancy: &Occupancy,
        blocks: &[BlockKey],
        blocks_max: usize,
        now: Instant,
    ) -> Renewals {
        if occupancy.is_cold() {
            self.clear(occupancy);
            occupancy.warm();
        }
        let mut inner = self.inner.write();
        let mut renewals = Renewals::default();
        if inner.holder(occupancy.number()).is_some() {
            // Tail first, so that a head is always the more recently used.
            for &block in blocks.iter().rev() {
                inner.touch(occupancy, block, now, &mut renewals);
            }
            inner.trim(occupancy.number());
            inner.trim_all(blocks_max);
        }
        renewals
    }

    /// Of these blocks the node held only so many: forgets that it holds the others.
    pub fn truncate(&self, occupancy: &Occupancy, blocks: &[BlockKey], held: u32) {
        self.removed(occupancy, blocks.get(held as usize..).unwrap_or_default());
    }

    /// The node says that it holds these no longer.
    pub fn removed(&self, occupancy: &Occupancy, blocks: &[BlockKey]) {
        let mut inner = self.inner.write();
        for &block in blocks.iter().rev() {
            if let Some(slot) = inner.find(occupancy.number(), block) {
                inner.drop_slot(slot);
            }
        }
    }

    /// Bytes that the index takes, about.
    pub fn bytes(&self) -> u64 {
        self.blocks() as u64 * Self::BLOCK_BYTES
    }

    /// Blocks held, counted once for each node that holds them.
    pub fn blocks(&self) -> usize {
        self.inner.read().slots.used()
    }
}

impl Inner {
    fn holder(&mut self, number: u16) -> Option<&mut Holder> {
        self.holders.get_mut(usize::from(number))?.as_mut()
    }

    /// First slot of a block.
    fn head(&self, block: BlockKey) -> Option<u32> {
        self.table.find(block.get(), |&slot| self.slots[slot].block == block).copied()
    }

    fn find(&self, holder: u16, block: BlockKey) -> Option<u32> {
        let mut slot = self.head(block)?;
        while slot != NONE {
            if self.slots[slot].holder == holder {
                return Some(slot);
            }
            slot = self.slots[slot].peer;
        }
        None
    }

    /// Nodes that hold a block.
    fn holders_of(&self, block: BlockKey) -> impl Iterator<Item = u16> {
        let mut slot = self.head(block).unwrap_or(NONE);
        std::iter::from_fn(move || {
            let found = (slot != NONE).then(|| &self.slots[slot])?;
            slot = found.peer;
            Some(found.holder)
        })
    }

    /// Finds each holder's depth. The holders of a block hold those before it too, so a stretch whose first and last
    /// block have as many holders has the same ones all along.
    fn search(&self, blocks: &[BlockKey], depths: &mut Vec<(u16, u32)>) {
        let count = |index: usize| self.holders_of(blocks[index]).count();
        let mut from = 0;
        let mut holders = count(0);
        while holders > 0 {
            // The last block that as many hold.
            let (mut low, mut high) = (from, blocks.len());
            while high - low > 1 {
                let middle = low.midpoint(high);
                if count(middle) >= holders { low = middle } else { high = middle }
            }
            let depth = u32::try_from(low + 1).unwrap_or(u32::MAX);
            let deeper: Vec<u16> =
                blocks.get(low + 1).map(|block| self.holders_of(*block).collect()).unwrap_or_default();
            depths.extend(
                self.holders_of(blocks[low])
                    .filter(|holder| !deeper.contains(holder))
                    .map(|holder| (holder, depth)),
            );
            (from, holders) = (low + 1, deeper.len());
        }
    }

    fn touch(&mut self, occupancy: &Occupancy, block: BlockKey, now: Instant, renewals: &mut Renewals) {
        let number = occupancy.number();
        let tick = occupancy::tick(now);
        if let Some(slot) = self.find(number, block) {
            let used = std::mem::replace(&mut self.slots[slot].used, tick);
            renewals.add(occupancy::span(used, tick));
            occupancy.renewed(used, tick);
            self.unlink(slot);
            self.link(slot);
        } else {
            let head = self.head(block);
            let peer = head.map_or(NONE, |head| self.slots[head].peer);
            let Some(slot) =
                self.slots.add(Slot { block, prev: NONE, next: NONE, peer, used: tick, holder: number })
            else {
                return;
            };
            if let Some(head) = head {
                self.slots[head].peer = slot;
            } else {
                let slots = &self.slots;
                self.table.insert_unique(block.get(), slot, |&slot| slots[slot].block.get());
            }
            occupancy.added(tick);
            self.link(slot);
        }
    }

    /// Makes a slot its holder's newest.
    fn link(&mut self, slot: u32) {
        let number = self.slots[slot].holder;
        let Some(holder) = self.holders[usize::from(number)].as_mut() else { return };
        let newest = std::mem::replace(&mut holder.newest, slot);
        if newest == NONE {
            holder.oldest = slot;
        } else {
            self.slots[newest].prev = slot;
        }
        holder.held += 1;
        (self.slots[slot].prev, self.slots[slot].next) = (NONE, newest);
    }

    fn unlink(&mut self, slot: u32) {
        let Slot { prev, next, holder, .. } = self.slots[slot];
        let Some(holder) = self.holders[usize::from(holder)].as_mut() else { return };
        if prev == NONE {
            holder.newest = next;
        } else {
            self.slots[prev].next = next;
        }
        if next == NONE {
            holder.oldest = prev;
        } else {
            self.slots[next].prev = prev;
        }
        holder.held -= 1;
    }

    fn drop_slot(&mut self, slot: u32) {
        self.unlink(slot);
        let Slot { block, peer, used, holder, .. } = self.slots[slot];
        if let Some(holder) = &self.holders[usize::from(holder)] {
            holder.occupancy.dropped(used);
        }
        let head = self.head(block).unwrap_or(NONE);
        if head == slot {
            let entry = self.table.find_entry(block.get(), |&known| known == slot);
            if let Ok(mut entry) = entry {
                if peer == NONE {
                    entry.remove();
                } else {
                    *entry.get_mut() = peer;
                }
            }
        } else {
            let mut before = head;
            while self.slots[before].peer != slot {
                before = self.slots[before].peer;
            }
            self.slots[before].peer = peer;
        }
        self.slots.free(slot);
    }

    /// Pushes out up to so many of a node's oldest blocks; says whether there may be more.
    fn evict(&mut self, number: u16, count: u32) -> bool {
        for _ in 0..count {
            match self.holder(number).map(|holder| holder.oldest) {
                Some(oldest) if oldest != NONE => self.drop_slot(oldest),
                _ => return false,
            }
        }
        true
    }

    fn trim(&mut self, number: u16) {
        while self.holder(number).is_some_and(|holder| holder.held > holder.capacity) {
            self.evict(number, 1);
        }
    }

    /// Keeps the whole within its bound, at the cost of who holds most.
    fn trim_all(&mut self, blocks_max: usize) {
        while self.slots.used() > blocks_max {
            let held = |holder: &Option<Holder>| holder.as_ref().map_or(0, |holder| holder.held);
            let fullest = self.holders.iter().enumerate().max_by_key(|(_, holder)| held(holder));
            let Some(number) = fullest.and_then(|(number, _)| u16::try_from(number).ok()) else { return };
            // Several at once: finding the fullest takes as long as there are nodes.
            self.evict(number, 64);
        }
    }
}

#[cfg(test)]
mod tests;
