//! How does one run become two?

use std::mem;

use super::{Forest, Hold, Run, count, finder};
use crate::state::nodes::prefixes::slab::NONE;

impl Forest {
    /// Splits a run where so many of its blocks are before: at least one, and one after. The first part is a new run; the second
    /// stays, for other runs may follow it. Gives the first part; `None` where there is no room for more, or another run begins
    /// with the block where the second part would.
    ///
    /// It takes as long as there are holds; but a place where prompts part is split once.
    pub(super) fn split(&mut self, run: u32, length: usize) -> Option<u32> {
        let holds: Vec<_> = self.peers(self.runs[run].first).collect();
        if holds.iter().all(|&hold| self.holds[hold].length as usize <= length) {
            self.truncate(run, length);
            return Some(run);
        }
        if !self.holds.has_room(holds.len()) || self.head(self.runs[run].blocks[length]).is_some() {
            return None;
        }
        let head = self.behead(run, length)?;
        for &hold in &holds {
            self.leave_peers(hold);
        }
        for hold in holds {
            self.part(hold, (head, run), count(length));
        }
        self.tidy(run);
        Some(head)
    }

    /// Makes a run of another's first blocks, which nobody holds yet.
    fn behead(&mut self, run: u32, length: usize) -> Option<u32> {
        let head = self.runs.add(Run::default())?;
        let blocks: Vec<_> = self.change_blocks(run, |blocks| {
            let first = blocks.drain(..length).collect();
            blocks.shrink_to_fit();
            first
        });
        let tail = &mut self.runs[run];
        let (is_told, next) = (tail.is_told, tail.blocks[0]);
        let (parent, block) = (mem::replace(&mut tail.parent, head), mem::replace(&mut tail.head, next));
        self.heads.replace(finder::of_block(block), run, head);
        self.heads.insert(finder::of_block(next), run);
        if is_told {
            for block in &blocks[1..] {
                self.inner.replace(finder::of_block(*block), run, head);
            }
            self.inner.remove(finder::of_block(next), run);
        }
        self.room += blocks.capacity();
        self.runs[head] = Run { head: block, blocks, parent, first: NONE, holders: 0, is_told };
        Some(head)
    }

    /// Parts a hold that is in neither run's list between the two.
    fn part(&mut self, hold: u32, (head, tail): (u32, u32), length: u32) {
        let Hold { length: all, holder, parent, used, prev, .. } = self.holds[hold];
        if all <= length {
            return self.join_peers(head, hold);
        }
        let first = Hold { holder, length, parent, children: 1, used, keeps: NONE, ..Hold::default() };
        let Some(first) = self.holds.add(first) else { return };
        (self.holds[hold].parent, self.holds[hold].length) = (first, all - length);
        self.link_behind(first, prev);
        self.join_peers(head, first);
        self.join_peers(tail, hold);
    }
}
