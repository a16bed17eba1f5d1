//! Where is a block that an engine names?
//!
//! Runs are found by their first blocks. Engines name any: so of runs that a node holds whose engine tells of its cache all
//! blocks are looked up.

use super::{Forest, finder};
use crate::{domain::prefix::BlockKey, state::nodes::prefixes::slab::NONE};

impl Forest {
    /// Whether the node's engine has told what it holds.
    pub(in crate::state::nodes::prefixes) fn is_telling(&self, number: u16) -> bool {
        let holder = self.holders.get(usize::from(number)).and_then(Option::as_ref);
        holder.is_some_and(|holder| holder.tells)
    }

    /// The node's engine tells what it holds.
    pub(in crate::state::nodes::prefixes) fn tells(&mut self, number: u16) {
        let Some(holder) = self.holder(number) else { return };
        if std::mem::replace(&mut holder.tells, true) {
            return;
        }
        let mut hold = holder.newest;
        while hold != NONE {
            self.tell_for(self.holds[hold].run, number);
            hold = self.holds[hold].next;
        }
    }

    /// The run that a block is in, and its place there.
    pub(super) fn locate(&self, block: BlockKey) -> Option<(u32, usize)> {
        // Engines let go of tails, and go on at them.
        let place = |run: u32| self.runs[run].blocks.iter().rposition(|known| *known == block);
        let inner = || self.inner.find(finder::of_block(block), |run| place(run).is_some());
        let run = self.head(block).or_else(inner)?;
        Some((run, place(run)?))
    }

    /// All blocks of a run are found where this node tells of them.
    pub(super) fn tell_for(&mut self, run: u32, number: u16) {
        if self.is_telling(number) && !std::mem::replace(&mut self.runs[run].is_told, true) {
            self.tell_from(run, 1);
        }
    }

    /// Those from this place on.
    pub(super) fn tell_from(&mut self, run: u32, place: usize) {
        if !self.runs[run].is_told {
            return;
        }
        for block in self.runs[run].blocks.iter().skip(place.max(1)) {
            self.inner.insert(finder::of_block(*block), run);
            self.inner_count += 1;
        }
    }

    /// They are no longer.
    pub(super) fn untell_from(&mut self, run: u32, place: usize) {
        if !self.runs[run].is_told {
            return;
        }
        for block in self.runs[run].blocks.iter().skip(place.max(1)) {
            self.inner.remove(finder::of_block(*block), run);
            self.inner_count -= 1;
        }
    }
}
