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

    /// So many nodes, of numbers below `numbers`, hold so many blocks; told for depth after depth.
    pub(super) fn put(
        &mut self,
        depth: u32,
        count: usize,
        numbers: usize,
        holders: impl Iterator<Item = u16>,
    ) {
        self.deepest = depth;
        if count > FEW {
            self.common = depth;
            self.crowd.resize(numbers, 0);
            for number in holders {
                if let Some(known) = self.crowd.get_mut(usize::from(number)) {
                    *known = depth;
                }
            }
            return;
        }
        for number in holders {
            let known = self.few[..self.count].iter().position(|(holder, _)| *holder == number);
            let place = known.unwrap_or(self.count);
            if let Some(pair) = self.few.get_mut(place) {
                *pair = (number, depth);
                self.count = self.count.max(place + 1);
            }
        }
    }
}
