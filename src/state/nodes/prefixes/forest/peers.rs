//! Which nodes hold the same block?
//!
//! Their slots are a list; the first of it knows how many there are.

use std::iter;

use super::Forest;
use crate::{
    domain::prefix::BlockKey,
    state::nodes::prefixes::{
        finder,
        slots::{Fate, NONE, Slot},
    },
};

impl Forest {
    /// First slot of a block.
    pub(super) fn head(&self, block: BlockKey) -> Option<u32> {
        self.heads.find(finder::of_block(block), |slot| self.slots[slot].block == block)
    }

    /// First slot of a block that comes so many after another whose first slot this is. Blocks that came together mostly
    /// lie side by side: then nothing has to be looked up.
    pub(super) fn head_after(&self, slot: u32, steps: usize, block: BlockKey) -> Option<u32> {
        let beside = slot.wrapping_add(u32::try_from(steps).unwrap_or(NONE));
        let is_it = |slot: &Slot| slot.block == block && slot.is_first && slot.fate == Fate::Stays;
        self.slots.get(beside).is_some_and(is_it).then_some(beside).or_else(|| self.head(block))
    }

    /// Holders of the block whose first slot this is.
    pub(super) fn count(&self, head: u32) -> usize {
        self.slots[head].before as usize
    }

    pub(super) fn peers(&self, head: u32) -> impl Iterator<Item = u32> {
        iter::successors(Some(head), |&slot| Some(self.slots[slot].peer).filter(|&peer| peer != NONE))
    }

    pub(super) fn find(&self, number: u16, block: BlockKey) -> Option<u32> {
        self.find_from(self.head(block)?, number)
    }

    /// A holder's slot of the block whose first slot this is.
    pub(super) fn find_from(&self, head: u32, number: u16) -> Option<u32> {
        let Slot { block, holder, peer, .. } = self.slots[head];
        if holder == number {
            return Some(head);
        }
        if peer == NONE {
            return None;
        }
        let is_it = |slot| self.slots[slot].block == block && self.slots[slot].holder == number;
        self.others.find(finder::of_pair(block, number), is_it)
    }

    /// One more holder of the block whose first slot `head` is.
    pub(super) fn join_peers(&mut self, slot: u32, head: u32) {
        let second = std::mem::replace(&mut self.slots[head].peer, slot);
        self.slots[head].before += 1;
        (self.slots[slot].peer, self.slots[slot].before) = (second, head);
        if second != NONE {
            self.slots[second].before = slot;
        }
        let Slot { block, holder, .. } = self.slots[slot];
        self.others.insert(finder::of_pair(block, holder), slot);
    }

    /// The slot's place among the first ones, if it is one. Most blocks are held by one node: then this look is enough.
    pub(super) fn place_of_first(&self, slot: u32) -> Option<usize> {
        let Slot { block, is_first, .. } = self.slots[slot];
        is_first.then(|| self.heads.place_of(finder::of_block(block), slot)).flatten()
    }

    /// The slot's block is no longer held there. `place` is its place among the first ones, if it is one.
    pub(super) fn leave_peers(&mut self, slot: u32, place: Option<usize>) {
        let Slot { block, holder, peer, before, .. } = self.slots[slot];
        let next = Some(peer).filter(|&peer| peer != NONE);
        if let Some(place) = place {
            self.heads.succeed(finder::of_block(block), place, next);
            let Some(peer) = next else { return };
            self.others.remove(finder::of_pair(block, self.slots[peer].holder), peer);
            (self.slots[peer].before, self.slots[peer].is_first) = (before - 1, true);
            return;
        }
        let Some(head) = self.head(block) else { return };
        self.slots[head].before -= 1;
        self.slots[before].peer = peer;
        if peer != NONE {
            self.slots[peer].before = before;
        }
        self.others.remove(finder::of_pair(block, holder), slot);
    }
}
