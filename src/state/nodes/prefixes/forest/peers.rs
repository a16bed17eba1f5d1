//! Which nodes hold some of the same run?

use std::iter;

use super::{Forest, Hold, finder};
use crate::{domain::prefix::BlockKey, state::nodes::prefixes::slab::NONE};

impl Forest {
    /// The run of which this is the first block.
    pub(super) fn head(&self, block: BlockKey) -> Option<u32> {
        self.heads.find(finder::of_block(block), |run| self.runs[run].head == block)
    }

    /// A hold and those that follow it in the list of its run.
    pub(super) fn peers(&self, first: u32) -> impl Iterator<Item = u32> {
        let next = |&hold: &u32| Some(self.holds[hold].peer).filter(|&peer| peer != NONE);
        iter::successors(Some(first).filter(|&first| first != NONE), next)
    }

    /// A node's hold of a run.
    pub(super) fn find(&self, run: u32, number: u16) -> Option<u32> {
        let first = self.runs[run].first;
        if first == NONE {
            return None;
        }
        let Hold { holder, peer, .. } = self.holds[first];
        if holder == number {
            return Some(first);
        }
        if peer == NONE {
            return None;
        }
        let is_it = |hold| self.holds[hold].run == run && self.holds[hold].holder == number;
        self.others.find(finder::of_pair(run, number), is_it)
    }

    /// One more hold of a run.
    pub(super) fn join_peers(&mut self, run: u32, hold: u32) {
        self.runs[run].holders += 1;
        self.holds[hold].run = run;
        let first = self.runs[run].first;
        if first == NONE {
            self.runs[run].first = hold;
            (self.holds[hold].peer, self.holds[hold].before) = (NONE, NONE);
            return;
        }
        let second = std::mem::replace(&mut self.holds[first].peer, hold);
        (self.holds[hold].peer, self.holds[hold].before) = (second, first);
        if second != NONE {
            self.holds[second].before = hold;
        }
        self.others.insert(finder::of_pair(run, self.holds[hold].holder), hold);
    }

    /// One less. The run may be left with none.
    pub(super) fn leave_peers(&mut self, hold: u32) {
        let Hold { run, holder, peer, before, .. } = self.holds[hold];
        self.runs[run].holders -= 1;
        if before == NONE {
            self.runs[run].first = peer;
            if peer != NONE {
                self.others.remove(finder::of_pair(run, self.holds[peer].holder), peer);
                self.holds[peer].before = NONE;
            }
            return;
        }
        self.holds[before].peer = peer;
        if peer != NONE {
            self.holds[peer].before = before;
        }
        self.others.remove(finder::of_pair(run, holder), hold);
    }
}
