//! How does a node let go of blocks: its oldest, or those that its engine names?

use super::{Forest, Hold, Run, count, finder};
use crate::{domain::prefix::BlockKey, state::nodes::prefixes::slab::NONE};

/// Blocks at least that the fullest node loses at once when all together are too many: finding it takes as long as there
/// are nodes.
const PUSHED_OUT: u32 = 64;

impl Forest {
    /// Pushes out a node's oldest blocks over so many, at most `count`, and publishes what it holds then; says whether
    /// there are more.
    pub(in crate::state::nodes::prefixes) fn shrink(&mut self, number: u16, most: u32, count: u32) -> bool {
        let held = self.holder(number).map_or(0, |holder| holder.held);
        let over = held.saturating_sub(most);
        self.push_out(number, over.min(count));
        self.publish(number);
        over > count
    }

    /// Keeps the whole within its bound, at the cost of who holds most.
    pub(in crate::state::nodes::prefixes) fn shrink_all(&mut self, bytes_max: u64) {
        while self.held > 0 && self.bytes() > bytes_max {
            let holders = self.holders.iter().enumerate();
            let held = holders.filter_map(|(number, holder)| Some((number, holder.as_ref()?)));
            let Some((number, fullest)) = held.max_by_key(|(_, holder)| holder.held) else { return };
            // Part of a hold may give nothing back: a run has room for what it had until that is half.
            let oldest = self.holds[fullest.oldest].length;
            let Ok(number) = u16::try_from(number) else { return };
            self.shrink(number, 0, oldest.max(PUSHED_OUT));
        }
    }

    /// Asks for the memory of a node's oldest hold, which is to go once there are newer blocks: it comes while these are placed, and
    /// is not waited for piece by piece.
    pub(super) fn ask_for_oldest(&self, number: u16) {
        let holder = self.holders.get(usize::from(number)).and_then(Option::as_ref);
        if let Some(holder) = holder.filter(|holder| holder.oldest != NONE) {
            let run = self.holds[holder.oldest].run;
            self.heads.ask_for(finder::of_block(self.runs[run].head));
        }
    }

    /// The end of the oldest hold is always nobody's parent, and when it is gone so is the next.
    fn push_out(&mut self, number: u16, count: u32) {
        let mut left = count;
        while left > 0 {
            let Some(oldest) = self.holder(number).map(|holder| holder.oldest) else { return };
            if oldest == NONE {
                return;
            }
            let length = self.holds[oldest].length;
            let gone = length.min(left);
            self.cut(oldest, length - gone);
            left -= gone;
        }
    }

    /// The node holds these no longer, nor what comes after them.
    pub(in crate::state::nodes::prefixes) fn remove(&mut self, holder: u16, blocks: &[BlockKey]) {
        self.note_telling(holder);
        let mut doomed = Vec::new();
        let mut last = None;
        for &block in blocks {
            let Some((run, place)) = self.locate_near(last, block) else { continue };
            last = Some((run, place));
            if let Some(hold) = self.find(run, holder)
                && count(place) < self.holds[hold].length
            {
                self.doom(hold, count(place), &mut doomed);
            }
        }
        self.doom_children(holder, &mut doomed);
        for hold in doomed {
            let keeps = std::mem::replace(&mut self.holds[hold].keeps, NONE);
            self.cut(hold, keeps);
        }
        self.publish(holder);
    }

    /// Of a hold no more than so many blocks are to stay.
    fn doom(&mut self, hold: u32, keeps: u32, doomed: &mut Vec<u32>) {
        let known = &mut self.holds[hold].keeps;
        if *known == NONE {
            doomed.push(hold);
        }
        *known = keeps.min(*known);
    }

    /// Adds what hangs below. Usually there is nothing: engines let go of tails first. Else one walk down the list
    /// finds all, for a hold lies behind its parent.
    fn doom_children(&mut self, number: u16, doomed: &mut Vec<u32>) {
        let mut missing: usize = doomed.iter().map(|&hold| self.holds[hold].children as usize).sum();
        let known: Vec<_> = doomed.iter().copied().filter(|&hold| self.loses_parent(hold)).collect();
        for &hold in &known {
            self.holds[hold].keeps = 0;
        }
        if missing == known.len() {
            return;
        }
        let mut hold = self.holder(number).map_or(NONE, |holder| holder.newest);
        while missing > 0 && hold != NONE {
            let Hold { children, keeps, next, .. } = self.holds[hold];
            if self.loses_parent(hold) {
                missing -= 1;
                missing += if keeps == NONE { children as usize } else { 0 };
                self.doom(hold, 0, doomed);
            }
            hold = next;
        }
    }

    fn loses_parent(&self, hold: u32) -> bool {
        let parent = self.holds[hold].parent;
        parent != NONE && self.holds[parent].keeps != NONE
    }

    /// Leaves so many blocks of a hold behind which nothing hangs that stays.
    fn cut(&mut self, hold: u32, length: u32) {
        let Hold { run, holder: number, used, length: before, .. } = self.holds[hold];
        let gone = before - length;
        self.held -= gone as usize;
        if let Some(holder) = self.holder(number) {
            holder.held -= gone;
            holder.lively.remove(used, gone);
        }
        self.holds[hold].length = length;
        if length == 0 {
            self.let_go(hold);
        }
        self.tidy(run);
    }

    /// Lets go of a hold of nothing.
    fn let_go(&mut self, hold: u32) {
        self.unlink(hold);
        self.leave_peers(hold);
        let Hold { parent, .. } = self.holds.remove(hold);
        // One that goes with it may be gone already.
        if parent != NONE {
            let children = &mut self.holds[parent].children;
            *children = children.saturating_sub(1);
        }
    }

    /// Lets a run go that nobody holds, and of one that only one node holds what that does not.
    pub(super) fn tidy(&mut self, run: u32) {
        match self.runs[run].holders {
            0 => self.forget(run),
            1 => {
                let length = self.holds[self.runs[run].first].length;
                self.truncate(run, length as usize);
            }
            _ => {}
        }
    }

    fn forget(&mut self, run: u32) {
        self.untell_from(run, 1);
        let Run { head, mut blocks, .. } = self.runs.remove(run);
        self.heads.remove(finder::of_block(head), run);
        self.room -= blocks.capacity();
        blocks.clear();
        self.spare = blocks;
    }

    /// Leaves so many blocks of a run: at least one.
    pub(super) fn truncate(&mut self, run: u32, length: usize) {
        if length >= self.runs[run].blocks.len() {
            return;
        }
        self.untell_from(run, length);
        self.change_blocks(run, |blocks| {
            blocks.truncate(length);
            // Room is given back when it is half: each time would copy all of it.
            blocks.shrink_to(if blocks.capacity() > 2 * length { length } else { blocks.capacity() });
        });
    }
}
