//! In which order has a node used its blocks?
//!
//! Each node's slots are a list from the most to the least recently used. What is asked for again mostly lies side by side
//! in it, as it did when it came: so it is moved as one.

use super::{Chain, Forest};
use crate::{
    domain::prefix::BlockKey,
    state::nodes::prefixes::{
        lively::TICKS,
        slots::{Fate, NONE},
    },
};

/// Slots of one node that follow each other in its list.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run {
    pub(super) first: u32,
    pub(super) last: u32,
    pub(super) count: u32,
}

impl Run {
    pub(super) fn of(slot: u32) -> Self {
        Self { first: slot, last: slot, count: 1 }
    }
}

impl Forest {
    /// Passes over the blocks that are known to be there where they were used in this tick already, and so those before
    /// them: how often prompts are renewed within a tick makes them no dearer to keep, and a popular one is renewed
    /// thousands of times a second. (memcached bumps an item at most once a minute, for the same reason.)
    pub(super) fn pass_over(&self, chain: &mut Chain<'_>, blocks: &[BlockKey], known: u32) -> usize {
        let known = known.min(u32::try_from(blocks.len()).unwrap_or(u32::MAX));
        let last = (known as usize)
            .checked_sub(1)
            .and_then(|last| self.find(chain.occupancy.number(), blocks[last]));
        let is_used =
            |slot: &u32| self.slots[*slot].used >= chain.tick && self.slots[*slot].fate == Fate::Stays;
        let Some(last) = last.filter(is_used) else { return 0 };
        chain.renewals.add(known, 0.0);
        chain.parent = last;
        known as usize
    }

    /// Renews the blocks that the chain's holder has side by side, from this slot of the first of them on.
    pub(super) fn renew_run(&mut self, slot: u32, blocks: &[BlockKey], chain: &mut Chain<'_>) -> Run {
        let mut run = Run::of(slot);
        // Blocks of one age are taken off together.
        let (mut used, mut of_age) = (self.use_again(slot, chain.tick), 1);
        for &block in &blocks[1..] {
            let slot = self.slots[run.last].next;
            let follows = |slot: u32| {
                let known = &self.slots[slot];
                known.block == block && known.parent == run.last && known.fate == Fate::Stays
            };
            if slot == NONE || !follows(slot) {
                break;
            }
            let before = self.use_again(slot, chain.tick);
            if before != used {
                self.freshen(used, of_age, chain);
                (used, of_age) = (before, 0);
            }
            of_age += 1;
            run.last = slot;
            run.count += 1;
        }
        self.freshen(used, of_age, chain);
        self.unlink(run);
        self.link_behind(run, chain.parent);
        run
    }

    /// When it was used before.
    fn use_again(&mut self, slot: u32, tick: u32) -> u32 {
        let used = self.slots[slot].used;
        self.slots[slot].used = tick.max(used);
        used
    }

    /// So many blocks, last used then, are used now.
    fn freshen(&mut self, used: u32, count: u32, chain: &mut Chain<'_>) {
        let span = f64::from(chain.tick.saturating_sub(used)) / TICKS;
        chain.renewals.add(count, span);
        if let Some(holder) = self.holder(chain.occupancy.number()) {
            holder.lively.remove(used, count);
            holder.lively.add(count);
        }
    }

    /// Takes the uses of slots that a node lets go of off its sums, neighbours of one age together.
    pub(super) fn forget_uses(&mut self, number: u16, doomed: &[u32]) {
        let Self { slots, holders, .. } = self;
        let Some(holder) = holders.get_mut(usize::from(number)).and_then(Option::as_mut) else { return };
        let used = |slot: u32| slots[slot].used;
        for of_age in doomed.chunk_by(|&a, &b| used(a) == used(b)) {
            holder.lively.remove(used(of_age[0]), u32::try_from(of_age.len()).unwrap_or(u32::MAX));
        }
    }

    /// Puts slots that were added behind the one before them.
    pub(super) fn link_new(&mut self, run: Run, chain: &Chain<'_>) {
        if let Some(holder) = self.holder(chain.occupancy.number()) {
            holder.lively.add(run.count);
        }
        self.link_behind(run, chain.parent);
    }

    /// Puts slots behind another of their holder, or in front of all.
    pub(super) fn link_behind(&mut self, run: Run, other: u32) {
        let number = self.slots[run.first].holder;
        let Some(holder) = self.holders[usize::from(number)].as_mut() else { return };
        holder.held += run.count;
        let next = if other == NONE {
            std::mem::replace(&mut holder.newest, run.first)
        } else {
            std::mem::replace(&mut self.slots[other].next, run.first)
        };
        if next == NONE {
            holder.oldest = run.last;
        } else {
            self.slots[next].prev = run.last;
        }
        self.slots[run.first].prev = other;
        self.slots[run.last].next = next;
    }

    pub(super) fn unlink(&mut self, run: Run) {
        let (prev, next) = (self.slots[run.first].prev, self.slots[run.last].next);
        let number = self.slots[run.first].holder;
        let Some(holder) = self.holders[usize::from(number)].as_mut() else { return };
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
        holder.held -= run.count;
    }
}
