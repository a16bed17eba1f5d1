//! What does each node hold, as trees of blocks, and in which order was it used?
//!
//! Three things hold after every change, whatever callers say:
//!
//! - **Closed**: a node that holds a block holds the one before it.
//! - **Ordered**: the one before it was used no less lately, and lies before it in the node's list. So the oldest block is
//!   always a leaf, and pushing it out leaves the rest closed.
//! - **One parent**: all who hold a block hold it after the same one. A chain that says otherwise ends there.

mod list;
mod peers;

use std::{iter, sync::Arc};

use super::{
    Occupancy, Overlaps, Renewals, finder,
    finder::Finder,
    lively::Lively,
    slots::{Fate, NONE, Slot, Slots},
};
use crate::domain::prefix::{BlockKey, PrefixPolicy};
use list::Run;

/// Blocks that the fullest node loses at once when all together are too many: finding it takes as long as there are
/// nodes.
pub(super) const PUSHED_OUT: u32 = 64;

/// Blocks that are looked up together, before the first of them comes or goes.
const TOGETHER: usize = 16;

/// All that the nodes hold.
#[derive(Debug, Default)]
pub(super) struct Forest {
    /// The first holder's slot of each block.
    heads: Finder,
    /// The other holders' slots.
    others: Finder,
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
    lively: Lively,
}

impl Holder {
    fn new(occupancy: Arc<Occupancy>) -> Self {
        Self { occupancy, newest: NONE, oldest: NONE, held: 0, lively: Lively::default() }
    }

    fn publish(&mut self) {
        if self.held == 0 {
            self.lively.empty();
        }
        self.occupancy.publish(self.held, &self.lively);
    }
}

/// A chain that is being placed.
struct Chain<'a> {
    occupancy: &'a Occupancy,
    /// Slot of the block before the next.
    parent: u32,
    tick: u32,
    renewals: Renewals,
}

impl Forest {
    /// Blocks held, counted once for each node that holds them.
    pub(super) fn used(&self) -> usize {
        self.slots.used()
    }

    /// A place for a node; `None` where as many have one as can.
    pub(super) fn join(&mut self, capacity: u32) -> Option<Arc<Occupancy>> {
        let free = self.holders.iter().position(Option::is_none);
        let number = free.unwrap_or(self.holders.len());
        let occupancy = Arc::new(Occupancy::new(u16::try_from(number).ok()?, capacity));
        let holder = Some(Holder::new(Arc::clone(&occupancy)));
        match free {
            Some(number) => self.holders[number] = holder,
            None => self.holders.push(holder),
        }
        Some(occupancy)
    }

    /// Gives up a place that is empty.
    pub(super) fn leave(&mut self, occupancy: &Occupancy) {
        if self.is_member(occupancy) {
            self.holders[usize::from(occupancy.number())] = None;
        }
    }

    /// Whether the place is still this node's: a pick may be under way to one that has left.
    pub(super) fn is_member(&self, occupancy: &Occupancy) -> bool {
        let holder = self.holders.get(usize::from(occupancy.number())).and_then(Option::as_ref);
        holder.is_some_and(|holder| std::ptr::eq(&raw const *holder.occupancy, occupancy))
    }

    /// Finds how much of a prompt each node holds. The holders of a block hold those before it too, so a stretch whose
    /// first and last block have as many holders has the same ones all along.
    pub(super) fn search(&self, blocks: &[BlockKey], overlaps: &mut Overlaps) {
        let Some(mut next) = blocks.first().and_then(|block| self.head(*block)) else { return };
        let mut from = 0;
        loop {
            let (last, head, beyond) = self.stretch(blocks, from, next);
            let depth = u32::try_from(last + 1).unwrap_or(u32::MAX);
            let holders = self.peers(head).map(|slot| self.slots[slot].holder);
            overlaps.put(depth, self.count(head), self.holders.len(), holders);
            let Some(beyond) = beyond else { return };
            (from, next) = (last + 1, beyond);
        }
    }

    /// Where the stretch of blocks ends that as many hold as the first of it: its last block, that one's first slot, and
    /// the first slot of the block beyond, if anybody holds that.
    fn stretch(&self, blocks: &[BlockKey], from: usize, head: u32) -> (usize, u32, Option<u32>) {
        let holders = self.count(head);
        let as_many = |found: Option<u32>| found.filter(|&slot| self.count(slot) >= holders);
        let end = blocks.len() - 1;
        let mut low = (from, head);
        let mut high = (end, self.head_after(head, end - from, blocks[end]));
        if let Some(slot) = as_many(high.1) {
            return (end, slot, None);
        }
        while high.0 - low.0 > 1 {
            let middle = low.0.midpoint(high.0);
            let found = self.head_after(low.1, middle - low.0, blocks[middle]);
            match as_many(found) {
                Some(slot) => low = (middle, slot),
                None => high = (middle, found),
            }
        }
        (low.0, low.1, high.1)
    }

    /// The node has this prompt: adds what it lacks and renews the rest. So many of its blocks are `known` to be there.
    /// Says too whether that may have changed anything; what the node holds then is not published yet.
    pub(super) fn place(
        &mut self,
        occupancy: &Occupancy,
        blocks: &[BlockKey],
        known: u32,
        tick: u32,
    ) -> (Renewals, bool) {
        let mut chain = Chain { occupancy, parent: NONE, tick, renewals: Renewals::default() };
        if let Some(holder) = self.holder(occupancy.number()) {
            holder.lively.advance(tick);
        }
        let mut left = &blocks[self.pass_over(&mut chain, blocks, known)..];
        let may_change = !left.is_empty();
        while let Some(run) = self.touch(&mut chain, left) {
            chain.parent = run.last;
            left = &left[run.count as usize..];
        }
        (chain.renewals, may_change)
    }

    /// The prompt up to this block, from its beginning; `None` where the node does not hold that.
    pub(super) fn path(&self, number: u16, block: BlockKey) -> Option<Vec<BlockKey>> {
        let slot = self.find(number, block)?;
        let up = |&slot: &u32| Some(self.slots[slot].parent).filter(|&parent| parent != NONE);
        let mut path: Vec<_> = iter::successors(Some(slot), up).map(|slot| self.slots[slot].block).collect();
        path.reverse();
        Some(path)
    }

    /// The node holds these no longer, nor what comes after them.
    pub(super) fn remove(&mut self, number: u16, blocks: &[BlockKey]) {
        let mut doomed = Vec::new();
        for &block in blocks {
            if let Some(slot) = self.find(number, block)
                && self.slots[slot].fate == Fate::Stays
            {
                self.slots[slot].fate = Fate::Goes;
                doomed.push(slot);
            }
        }
        self.doom_children(number, &mut doomed);
        for &slot in &doomed {
            self.unlink(Run::of(slot));
        }
        self.drop_slots(number, &doomed);
        self.publish(number);
    }

    /// Adds what hangs below. Usually there is nothing: engines let go of tails first. Else one walk down the list
    /// finds all, for a block lies behind the one before it.
    fn doom_children(&mut self, number: u16, doomed: &mut Vec<u32>) {
        let mut missing: usize = doomed.iter().map(|&slot| self.slots[slot].children as usize).sum();
        if missing == doomed.iter().filter(|&&slot| self.loses_parent(slot)).count() {
            return;
        }
        let mut slot = self.holder(number).map_or(NONE, |holder| holder.newest);
        while missing > 0 && slot != NONE {
            let Slot { children, next, fate, .. } = self.slots[slot];
            if self.loses_parent(slot) {
                missing -= 1;
                if fate == Fate::Stays {
                    missing += children as usize;
                    self.slots[slot].fate = Fate::Goes;
                    doomed.push(slot);
                }
            }
            slot = next;
        }
    }

    fn loses_parent(&self, slot: u32) -> bool {
        let parent = self.slots[slot].parent;
        parent != NONE && self.slots[parent].fate == Fate::Goes
    }

    /// Pushes out a node's oldest blocks over so many, at most `count`, and publishes what it holds then; says whether
    /// there are more.
    pub(super) fn shrink(&mut self, number: u16, most: u32, count: u32) -> bool {
        let over = self.held(number).saturating_sub(most);
        self.push_out(number, over.min(count));
        self.publish(number);
        over > count
    }

    /// Keeps the whole within its bound, at the cost of who holds most.
    pub(super) fn shrink_all(&mut self, blocks_max: usize) {
        while self.slots.used() > blocks_max {
            let held = |holder: &Option<Holder>| holder.as_ref().map_or(0, |holder| holder.held);
            let fullest = self.holders.iter().enumerate().max_by_key(|(_, holder)| held(holder));
            let Some(number) = fullest.and_then(|(number, _)| u16::try_from(number).ok()) else { return };
            self.shrink(number, 0, PUSHED_OUT);
        }
    }

    fn held(&self, number: u16) -> u32 {
        self.holders.get(usize::from(number)).and_then(Option::as_ref).map_or(0, |holder| holder.held)
    }

    fn holder(&mut self, number: u16) -> Option<&mut Holder> {
        self.holders.get_mut(usize::from(number))?.as_mut()
    }

    fn publish(&mut self, number: u16) {
        if let Some(holder) = self.holder(number) {
            holder.publish();
        }
    }

    /// Adds the chain's next block, or renews it and what lies beside it; `None` where it cannot come next.
    fn touch(&mut self, chain: &mut Chain<'_>, blocks: &[BlockKey]) -> Option<Run> {
        let block = *blocks.first()?;
        match self.known(chain, block) {
            Ok(slot) if self.slots[slot].parent != chain.parent => None,
            Ok(slot) => Some(self.renew_run(slot, blocks, chain)),
            Err(None) => self.add_run(blocks, chain),
            Err(Some(head)) if self.block_of(self.slots[head].parent) != self.block_of(chain.parent) => None,
            Err(head) => {
                let run = Run::of(self.add(block, head, chain.parent, chain)?);
                self.link_new(run, chain);
                Some(run)
            }
        }
    }

    /// Adds the chain's next blocks as far as nobody holds them. They are looked up together first, for memory is slow.
    fn add_run(&mut self, blocks: &[BlockKey], chain: &Chain<'_>) -> Option<Run> {
        let is_new = |block: &&BlockKey| self.head(**block).is_none();
        let more = blocks[1..].iter().take(TOGETHER).take_while(is_new).count();
        let mut run = Run::of(self.add(blocks[0], None, chain.parent, chain)?);
        for (number, &block) in blocks.iter().enumerate().take(1 + more).skip(1) {
            // A chain may name a block twice.
            let is_first = !blocks[..number].contains(&block);
            let slot = is_first.then(|| self.add(block, None, run.last, chain)).flatten();
            let Some(slot) = slot else { break };
            (self.slots[run.last].next, self.slots[slot].prev) = (slot, run.last);
            (run.last, run.count) = (slot, run.count + 1);
        }
        self.link_new(run, chain);
        Some(run)
    }

    /// The node's slot of the chain's next block, or else the first slot of that block. Blocks that came together mostly
    /// lie side by side: then nothing has to be looked up.
    fn known(&self, chain: &Chain<'_>, block: BlockKey) -> Result<u32, Option<u32>> {
        let number = chain.occupancy.number();
        let beside = chain.parent.wrapping_add(1);
        let is_it = |slot: &Slot| {
            (slot.block, slot.holder, slot.parent, slot.fate) == (block, number, chain.parent, Fate::Stays)
        };
        if chain.parent != NONE && self.slots.get(beside).is_some_and(is_it) {
            return Ok(beside);
        }
        let head = self.head(block);
        head.and_then(|head| self.find_from(head, number)).ok_or(head)
    }

    /// The block in a slot, if it is one.
    fn block_of(&self, slot: u32) -> Option<BlockKey> {
        (slot != NONE).then(|| self.slots[slot].block)
    }

    /// A slot for a block of which this is the first slot, if somebody holds it; in no list yet.
    fn add(&mut self, block: BlockKey, head: Option<u32>, parent: u32, chain: &Chain<'_>) -> Option<u32> {
        let holder = chain.occupancy.number();
        let slot = self.slots.add(Slot {
            block,
            parent,
            children: 0,
            prev: NONE,
            next: NONE,
            peer: NONE,
            before: NONE,
            used: chain.tick,
            holder,
            fate: Fate::Stays,
            is_first: head.is_none(),
        })?;
        if parent != NONE {
            self.slots[parent].children += 1;
        }
        if let Some(head) = head {
            self.join_peers(slot, head);
        } else {
            self.slots[slot].before = 1;
            self.heads.insert(finder::of_block(block), slot);
        }
        Some(slot)
    }

    /// Pushes out a node's oldest blocks. The oldest is always a leaf, and when it is gone so is the next.
    fn push_out(&mut self, number: u16, count: u32) {
        let mut left = count as usize;
        while left > 0 {
            let Some(oldest) = self.holder(number).map(|holder| holder.oldest) else { return };
            let newer = |&slot: &u32| Some(self.slots[slot].prev).filter(|&prev| prev != NONE);
            let doomed: Vec<_> = iter::successors(Some(oldest).filter(|&slot| slot != NONE), newer)
                .take(left.min(TOGETHER))
                .collect();
            let Some(&first) = doomed.last() else { return };
            self.unlink(Run { first, last: oldest, count: u32::try_from(doomed.len()).unwrap_or(0) });
            self.drop_slots(number, &doomed);
            left -= doomed.len();
        }
    }

    /// Lets go of slots of a node that are in its list no longer, a child before its parent.
    ///
    /// All are looked up before the first goes: then memory is waited for once, not once for each.
    fn drop_slots(&mut self, number: u16, doomed: &[u32]) {
        let places: Vec<_> = doomed.iter().map(|&slot| self.place_of_first(slot)).collect();
        self.forget_uses(number, doomed);
        for (&slot, place) in doomed.iter().zip(places) {
            let parent = self.slots[slot].parent;
            if parent != NONE {
                self.slots[parent].children -= 1;
            }
            self.leave_peers(slot, place);
            self.slots.free(slot);
        }
    }
}

/// Most blocks that can be named, with a prompt more.
pub(super) const BLOCKS_MAX: usize = NONE as usize - PrefixPolicy::BLOCKS_MAX;

#[cfg(test)]
mod tests;
