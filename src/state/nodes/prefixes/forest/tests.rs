//! What must hold after every change.

use std::{collections::HashSet, iter};

use super::*;
use crate::state::nodes::prefixes::Prefixes;

impl Prefixes {
    /// Panics where the index is not closed, ordered, of one parent a run, and counted right.
    pub(in crate::state::nodes::prefixes) fn check(&self) {
        let forest = self.forest.read();
        let mut holds = Vec::new();
        for (number, holder) in forest.holders.iter().enumerate() {
            if let Some(holder) = holder {
                holds.extend(forest.check_holder(u16::try_from(number).expect("it fits"), holder));
            }
        }
        assert_eq!(holds.len(), forest.holds.used());
        let held: usize = holds.iter().map(|&hold| forest.holds[hold].length as usize).sum();
        assert_eq!(held, forest.held);
        let mut runs: Vec<_> = holds.iter().map(|&hold| forest.holds[hold].run).collect();
        runs.sort_unstable();
        runs.dedup();
        assert_eq!(runs.len(), forest.runs.used());
        for &run in &runs {
            forest.check_run(run);
        }
        let room = |run: &u32| forest.runs[*run].blocks.capacity();
        assert_eq!(runs.iter().map(room).sum::<usize>(), forest.room);
        assert_eq!(forest.heads.len(), runs.len());
        let heads: HashSet<_> = runs.iter().map(|&run| forest.runs[run].head).collect();
        assert_eq!(heads.len(), runs.len(), "one run begins with a block");
        assert_eq!(forest.others.len(), holds.len() - runs.len());
        assert!(forest.inner.len() <= forest.told_blocks().len());
    }

    /// Panics where a block of which an engine tells is not found. Callers must keep the promise of keys.
    pub(in crate::state::nodes::prefixes) fn check_told(&self) {
        let forest = self.forest.read();
        let told = forest.told_blocks();
        assert!(told.iter().all(|&block| forest.locate(block).is_some()));
        assert_eq!(forest.inner.len(), told.len());
    }
}

impl Forest {
    /// The blocks by which runs are found beside their first ones.
    fn told_blocks(&self) -> HashSet<BlockKey> {
        let holds = self.holders.iter().flatten().flat_map(|holder| self.list(holder));
        let runs = holds.map(|hold| &self.runs[self.holds[hold].run]).filter(|run| run.is_told);
        runs.flat_map(|run| run.blocks[1..].iter().copied()).collect()
    }

    fn list(&self, holder: &Holder) -> Vec<u32> {
        let next = |&hold: &u32| Some(self.holds[hold].next).filter(|&next| next != NONE);
        iter::successors(Some(holder.newest).filter(|&newest| newest != NONE), next).collect()
    }

    fn check_holder(&self, number: u16, holder: &Holder) -> Vec<u32> {
        let list = self.list(holder);
        let length = |&hold: &u32| self.holds[hold].length;
        assert_eq!(list.iter().map(length).sum::<u32>(), holder.held);
        assert_eq!(list.last().copied().unwrap_or(NONE), holder.oldest);
        for (place, &hold) in list.iter().enumerate() {
            let Hold { run, parent, children, prev, holder, used, keeps, length, .. } = self.holds[hold];
            assert_eq!((holder, keeps), (number, NONE));
            assert_eq!(prev, place.checked_sub(1).map_or(NONE, |before| list[before]));
            assert_eq!(self.find(run, number), Some(hold));
            assert_eq!(children as usize, list.iter().filter(|&&s| self.holds[s].parent == hold).count());
            assert!((1..=self.runs[run].blocks.len()).contains(&(length as usize)));
            assert!(children == 0 || length as usize == self.runs[run].blocks.len(), "runs follow ends");
            let before = self.runs[run].parent;
            assert_eq!(
                parent,
                if before == NONE { NONE } else { self.find(before, number).expect("closed") }
            );
            if parent != NONE {
                assert!(list[..place].contains(&parent), "a parent before its children");
                assert!(self.holds[parent].used >= used);
            }
        }
        list
    }

    fn check_run(&self, run: u32) {
        let Run { head, blocks, first, holders, .. } = &self.runs[run];
        assert_eq!(*head, blocks[0]);
        let peers: Vec<_> = self.peers(*first).collect();
        assert_eq!(peers.len(), *holders as usize);
        for (place, &peer) in peers.iter().enumerate() {
            let Hold { run: of, before, .. } = self.holds[peer];
            assert_eq!((of, before), (run, place.checked_sub(1).map_or(NONE, |before| peers[before])));
        }
        let longest = peers.iter().map(|&peer| self.holds[peer].length as usize).max();
        assert!(
            peers.len() > 1 || longest == Some(blocks.len()),
            "what nobody else holds is no longer there"
        );
        let is_it = |other: u32| other == run;
        assert_eq!(self.heads.find(finder::of_block(*head), is_it), Some(run));
    }
}
