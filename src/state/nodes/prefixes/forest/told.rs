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

    /// Takes note that the node's engine tells what it holds.
    pub(in crate::state::nodes::prefixes) fn note_telling(&mut self, number: u16) {
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

    /// The run that a block is in, and its place there; looked for first beside one that was found before.
    pub(super) fn locate_near(&self, near: Option<(u32, usize)>, block: BlockKey) -> Option<(u32, usize)> {
        // Engines let go of blocks one after the other, tails before heads.
        let beside = near.and_then(|(run, place)| {
            let is_it = |place: &usize| self.runs[run].blocks.get(*place) == Some(&block);
            let places = [place.wrapping_sub(1), place + 1];
            Some((run, places.into_iter().find(is_it)?))
        });
        beside.or_else(|| self.locate(block))
    }

    /// The run that a block is in, and its place there.
    pub(super) fn locate(&self, block: BlockKey) -> Option<(u32, usize)> {
        if let Some(run) = self.head(block) {
            return Some((run, 0));
        }
        let mut found = None;
        self.inner.find(finder::of_block(block), |run| {
            found = self.place_in(run, block).map(|place| (run, place));
            found.is_some()
        });
        found
    }

    /// Engines go on at tails: so from there.
    fn place_in(&self, run: u32, block: BlockKey) -> Option<usize> {
        self.runs[run].blocks.iter().rposition(|known| *known == block)
    }

    /// All blocks of a run are found where this node tells of them.
    pub(super) fn tell_for(&mut self, run: u32, number: u16) {
        if self.is_telling(number) && !std::mem::replace(&mut self.runs[run].is_told, true) {
            self.tell_from(run, 1);
        }
    }

    /// Those from this place on. A key that stands for two blocks is found for one of them: were it there as often as it is said,
    /// every search would go past all of them.
    pub(super) fn tell_from(&mut self, run: u32, place: usize) {
        if !self.runs[run].is_told {
            return;
        }
        for place in place.max(1)..self.runs[run].blocks.len() {
            let block = self.runs[run].blocks[place];
            let hash = finder::of_block(block);
            if self.inner.find(hash, |run| self.place_in(run, block).is_some()).is_none() {
                self.inner.insert(hash, run);
            }
        }
    }

    /// They are no longer.
    pub(super) fn untell_from(&mut self, run: u32, place: usize) {
        if !self.runs[run].is_told {
            return;
        }
        for block in self.runs[run].blocks.iter().skip(place.max(1)) {
            self.inner.remove(finder::of_block(*block), run);
        }
    }
}
