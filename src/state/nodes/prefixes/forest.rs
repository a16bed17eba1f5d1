//! What does each node hold, as a tree of runs of blocks, and in which order was it used?
//!
//! A *run* is what came one after another and was never told apart; where prompts part, or one ends within, it is split, so that
//! another run follows only where one ends. A *hold* is a node's part of a run: so many leading blocks of it. Four things are so
//! after every change, whatever callers say:
//!
//! - **Closed**: a node that holds a block holds the one before it.
//! - **Ordered**: the one before it was used no less lately, and its hold lies before in the node's list. So the oldest hold is
//!   always a leaf, and letting go of its end leaves the rest closed.
//! - **Of one age**: what a node holds of a run was used at once.
//! - **One parent**: a run follows one other, or begins prompts. A chain that says otherwise ends there.
//!
//! (The tree is the radix tree of `SGLang`: Zheng et al., "`SGLang`: Efficient Execution of Structured Language Model Programs",
//! 2024; runs are found by the hash of their first block.)

mod evict;
mod list;
mod peers;
mod place;
mod search;
mod split;
mod told;

use std::{mem, sync::Arc};

use super::{
    finder::{self, Finder},
    lively::Lively,
    occupancy::Occupancy,
    slab::{NONE, Slab},
};
use crate::domain::prefix::BlockKey;

/// Bytes that a run takes beside its blocks, and a hold, with their entries in the tables and what the allocator rounds up.
const RUN_BYTES: usize = size_of::<Run>() + ENTRY_BYTES + 16;
const HOLD_BYTES: usize = size_of::<Hold>() + ENTRY_BYTES;
/// Bytes of an entry of a table that has just grown: then three of eight places are taken, of 8 bytes each.
const ENTRY_BYTES: usize = 22;

/// All that the nodes hold.
#[derive(Debug, Default)]
pub(super) struct Forest {
    runs: Slab<Run>,
    holds: Slab<Hold>,
    /// Runs by their first blocks.
    heads: Finder,
    /// Holds by run and holder, but for the first hold of each run.
    others: Finder,
    /// Runs by their other blocks, where an engine tells of those: each block once.
    inner: Finder,
    /// Blocks for which all runs have room, and those held, counted once for each node.
    room: usize,
    held: usize,
    /// The room of a run that went lately: one comes as another goes, and what was touched a moment ago is near.
    spare: Vec<BlockKey>,
    holders: Vec<Option<Holder>>,
}

/// Blocks that come one after another, and who holds how many of them.
#[derive(Debug, Default)]
struct Run {
    /// The first of its blocks, once more: who looks for it need not wait for where they all are.
    head: BlockKey,
    /// As many as somebody holds, or did while several held some.
    blocks: Vec<BlockKey>,
    /// The run before it: who holds this one holds all of that. [`NONE`] where prompts begin with this one.
    parent: u32,
    /// Its first hold, and how many there are.
    first: u32,
    holders: u32,
    /// Whether it is found by its inner blocks, too.
    is_told: bool,
}

/// A node's part of a run.
#[derive(Debug, Default)]
struct Hold {
    run: u32,
    holder: u16,
    /// Leading blocks of the run: at least one.
    length: u32,
    /// The holder's hold of the run before.
    parent: u32,
    /// Holds of the holder whose parent this is.
    children: u32,
    /// When it was last used.
    used: u32,
    /// The holder's next more recently used.
    prev: u32,
    /// The holder's next less recently used.
    next: u32,
    /// The next hold of the same run, and the one before in that list.
    peer: u32,
    before: u32,
    /// Blocks that are to stay; [`NONE`] where nothing is to go.
    keeps: u32,
}

/// One node: a list of its holds from the most to the least recently used.
#[derive(Debug)]
struct Holder {
    occupancy: Arc<Occupancy>,
    newest: u32,
    oldest: u32,
    held: u32,
    lively: Lively,
    /// Whether its engine tells what it holds.
    tells: bool,
}

impl Holder {
    fn new(occupancy: Arc<Occupancy>) -> Self {
        Self { occupancy, newest: NONE, oldest: NONE, held: 0, lively: Lively::default(), tells: false }
    }
}

impl Forest {
    /// Blocks held, counted once for each node that holds them.
    pub(super) fn held(&self) -> usize {
        self.held
    }

    /// Bytes that all of it takes, about.
    pub(super) fn bytes(&self) -> u64 {
        let blocks = self.room * size_of::<BlockKey>() + self.inner.len() * ENTRY_BYTES;
        (self.runs.used() * RUN_BYTES + self.holds.used() * HOLD_BYTES + blocks) as u64
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

    fn holder(&mut self, number: u16) -> Option<&mut Holder> {
        self.holders.get_mut(usize::from(number))?.as_mut()
    }

    /// Says how much the node holds now.
    fn publish(&mut self, number: u16) {
        if let Some(holder) = self.holder(number) {
            if holder.held == 0 {
                holder.lively.empty();
            }
            holder.occupancy.publish(holder.held, &holder.lively);
        }
    }

    /// Room for so many blocks.
    fn take_room(&mut self, blocks: usize) -> Vec<BlockKey> {
        let fits = (blocks..=2 * blocks).contains(&self.spare.capacity());
        if fits { mem::take(&mut self.spare) } else { Vec::with_capacity(blocks) }
    }

    /// Changes a run's blocks, and keeps account of the room they take.
    fn change_blocks<R>(&mut self, run: u32, change: impl FnOnce(&mut Vec<BlockKey>) -> R) -> R {
        let blocks = &mut self.runs[run].blocks;
        let others = self.room - blocks.capacity();
        let changed = change(blocks);
        self.room = others + blocks.capacity();
        changed
    }
}

/// A count of blocks of one prompt.
fn count(blocks: usize) -> u32 {
    u32::try_from(blocks).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
