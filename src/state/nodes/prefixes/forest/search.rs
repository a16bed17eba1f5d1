//! How much of a prompt does each node hold?

use std::iter;

use super::{Forest, Hold, Run, count};
use crate::{
    domain::prefix::BlockKey,
    state::nodes::prefixes::{overlaps::Overlaps, slab::NONE},
};

impl Forest {
    /// Finds how much of a prompt each node holds, run by run.
    pub(in crate::state::nodes::prefixes) fn search(&self, blocks: &[BlockKey], overlaps: &mut Overlaps) {
        let (mut before, mut found) = (0, self.next(NONE, blocks));
        while let Some((run, shared)) = found {
            let Run { first, holders, blocks: all, .. } = &self.runs[run];
            let goes_on = shared == all.len();
            found = goes_on.then(|| self.next(run, &blocks[before + shared..])).flatten();
            // Who holds the next one holds all of this one: as many are the same, and are told of there.
            if found.is_none_or(|(next, _)| self.runs[next].holders < *holders) {
                let depth = |hold: u32| {
                    let Hold { holder, length, .. } = self.holds[hold];
                    (holder, count(before + shared.min(length as usize)))
                };
                overlaps.put(*holders as usize, self.holders.len(), self.peers(*first).map(depth));
            }
            before += shared;
        }
    }

    /// The run that these blocks begin behind another, and how many blocks they share.
    fn next(&self, parent: u32, blocks: &[BlockKey]) -> Option<(u32, usize)> {
        let run = self.head(*blocks.first()?)?;
        let known = &self.runs[run];
        (known.parent == parent).then(|| (run, shared_blocks(&known.blocks, blocks)))
    }

    /// The prompt up to this block, from its beginning; `None` where the node does not hold that.
    pub(in crate::state::nodes::prefixes) fn path(
        &self,
        number: u16,
        block: BlockKey,
    ) -> Option<Vec<BlockKey>> {
        let (last, place) = self.locate(block)?;
        let hold = self.find(last, number)?;
        if self.holds[hold].length as usize <= place {
            return None;
        }
        let up = |&run: &u32| Some(self.runs[run].parent).filter(|&parent| parent != NONE);
        let mut runs: Vec<_> = iter::successors(Some(last), up).collect();
        runs.reverse();
        let mut path: Vec<_> = runs.iter().flat_map(|&run| &self.runs[run].blocks).copied().collect();
        path.truncate(path.len() - self.runs[last].blocks.len() + place + 1);
        Some(path)
    }
}

/// Leading blocks that both have. Eight are compared at once: mostly all are the same.
pub(super) fn shared_blocks(some: &[BlockKey], others: &[BlockKey]) -> usize {
    let (eights, _) = some.as_chunks::<8>();
    let (other_eights, _) = others.as_chunks::<8>();
    let differ = |(one, other): (&BlockKey, &BlockKey)| one.get() ^ other.get();
    let are_same = |(ones, others): &(&[BlockKey; 8], &[BlockKey; 8])| {
        ones.iter().zip(*others).map(differ).fold(0, |all, bits| all | bits) == 0
    };
    let same = 8 * eights.iter().zip(other_eights).take_while(are_same).count();
    same + some[same..].iter().zip(&others[same..]).take_while(|(one, other)| one == other).count()
}
