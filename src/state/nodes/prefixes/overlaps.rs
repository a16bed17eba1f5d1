//! How much of one prompt does each node hold?

/// As many holders are kept in place, without a word on the heap.
const FEW: usize = 16;

/// How many leading blocks of one prompt each node holds.
#[derive(Debug, Clone, Default)]
pub struct Overlaps {
    /// Numbers and depths of those that hold most, as many as `count`. If more than [`FEW`] hold a block, none of them is here
    /// for that.
    few: [(u16, u32); FEW],
    count: usize,
    /// Blocks that others may hold, and how many each number holds, where they do.
    common: u32,
    crowd: Vec<u32>,
    deepest: u32,
}

impl Overlaps {
    /// Leading blocks that the node of this number holds; 0 where it has none.
    pub fn depth(&self, holder: Option<u16>) -> u32 {
        let Some(number) = holder else { return 0 };
        let pair = self.few[..self.count].iter().find(|(holder, _)| *holder == number);
        let in_crowd = || self.crowd.get(usize::from(number)).copied().unwrap_or(0);
        pair.map_or_else(in_crowd, |(_, depth)| *depth)
    }

    /// Leading blocks that the node with most of them holds.
    pub fn deepest(&self) -> u32 {
        self.deepest
    }

    /// Numbers of the nodes that hold more than [`common`](Self::common) blocks.
    pub fn holders(&self) -> impl Iterator<Item = u16> {
        self.few[..self.count].iter().map(|(number, _)| *number)
    }

    /// Leading blocks that a node may hold that is none of the [`holders`](Self::holders).
    pub fn common(&self) -> u32 {
        self.common
    }

    /// So many nodes, of numbers below `numbers`, hold so many blocks each; told of part after part of the prompt, each of which
    /// only some of those hold that hold the one before.
    pub(super) fn put(&mut self, count: usize, numbers: usize, holders: impl Iterator<Item = (u16, u32)>) {
        if count > FEW {
            self.crowd.resize(numbers, 0);
            for (number, depth) in holders {
                self.common = self.common.max(depth);
                if let Some(known) = self.crowd.get_mut(usize::from(number)) {
                    *known = depth;
                }
            }
            self.deepest = self.common;
            return;
        }
        for (number, depth) in holders {
            self.deepest = self.deepest.max(depth);
            let known = self.few[..self.count].iter().position(|(holder, _)| *holder == number);
            let place = known.unwrap_or(self.count);
            if let Some(pair) = self.few.get_mut(place) {
                *pair = (number, depth);
                self.count = self.count.max(place + 1);
            }
        }
    }
}
