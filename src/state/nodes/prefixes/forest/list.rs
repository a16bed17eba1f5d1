//! In which order has a node used its holds?

use super::{Forest, Hold};
use crate::state::nodes::prefixes::slab::NONE;

impl Forest {
    /// Puts a hold that is in no list behind another of its holder, or in front of all.
    pub(super) fn link_behind(&mut self, hold: u32, other: u32) {
        let Some(holder) = self.holders[usize::from(self.holds[hold].holder)].as_mut() else { return };
        let next = if other == NONE {
            std::mem::replace(&mut holder.newest, hold)
        } else {
            std::mem::replace(&mut self.holds[other].next, hold)
        };
        if next == NONE {
            holder.oldest = hold;
        } else {
            self.holds[next].prev = hold;
        }
        (self.holds[hold].prev, self.holds[hold].next) = (other, next);
    }

    /// Takes a hold out of its holder's list.
    pub(super) fn unlink(&mut self, hold: u32) {
        let Hold { holder, prev, next, .. } = self.holds[hold];
        let Some(holder) = self.holders[usize::from(holder)].as_mut() else { return };
        if prev == NONE {
            holder.newest = next;
        } else {
            self.holds[prev].next = next;
        }
        if next == NONE {
            holder.oldest = prev;
        } else {
            self.holds[next].prev = prev;
        }
    }
}
