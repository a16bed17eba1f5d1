//! What must hold after every change.

use super::*;
use crate::state::nodes::prefixes::Prefixes;

impl Prefixes {
    /// Panics where the index is not closed, ordered, of one parent a block, and counted right.
    pub(in crate::state::nodes::prefixes) fn check(&self) {
        let forest = self.forest.read();
        let mut used = 0;
        for (number, holder) in forest.holders.iter().enumerate() {
            if let Some(holder) = holder {
                used += forest.check_holder(u16::try_from(number).expect("it fits"), holder);
            }
        }
        assert_eq!(used, forest.slots.used());
    }
}

impl Forest {
    fn check_holder(&self, number: u16, holder: &Holder) -> usize {
        let next = |&slot: &u32| Some(self.slots[slot].next).filter(|&next| next != NONE);
        let first = Some(holder.newest).filter(|&newest| newest != NONE);
        let list: Vec<_> = iter::successors(first, next).collect();
        assert_eq!(list.len(), holder.held as usize);
        assert_eq!(list.last().copied().unwrap_or(NONE), holder.oldest);
        for (place, &slot) in list.iter().enumerate() {
            let Slot { block, parent, children, prev, holder, used, fate, .. } = self.slots[slot];
            assert_eq!((holder, fate), (number, Fate::Stays));
            assert_eq!(prev, place.checked_sub(1).map_or(NONE, |before| list[before]));
            assert_eq!(self.find(number, block), Some(slot));
            assert_eq!(children as usize, list.iter().filter(|&&s| self.slots[s].parent == slot).count());
            if parent != NONE {
                assert!(list[..place].contains(&parent), "closed, and a parent before its children");
                assert!(self.slots[parent].used >= used);
            }
            self.check_peers(block, slot);
        }
        list.len()
    }

    fn check_peers(&self, block: BlockKey, slot: u32) {
        let head = self.head(block).expect("some node holds it");
        let peers: Vec<_> = self.peers(head).collect();
        assert_eq!(peers.len(), self.count(head));
        assert!(peers.contains(&slot));
        let parent = self.block_of(self.slots[head].parent);
        for pair in peers.windows(2) {
            assert_eq!(self.slots[pair[1]].before, pair[0]);
            assert_eq!(self.slots[pair[1]].block, block);
            assert_eq!(self.block_of(self.slots[pair[1]].parent), parent, "one parent a block");
        }
    }
}
