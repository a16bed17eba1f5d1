//! How much of one prompt does each node hold?

use super::Occupancy;

/// As many holders are kept in place, without a word on the heap.
const FEW: usize = 16;

/// How many leading blocks of one prompt each node holds.
#[derive(Debug, Clone)]
pub struct Overlaps {
    depths: Depths,
    deepest: u32,
}

/// Depths of the holders.
#[derive(Debug, Clone)]
enum Depths {
    /// Number and depth of each of so many.
    Few([(u16, u32); FEW], usize),
    /// The depth of every number.
    Many(Vec<u32>),
}

impl Default for Overlaps {
    fn default() -> Self {
        Self { depths: Depths::Few([(0, 0); FEW], 0), deepest: 0 }
    }
}

impl Overlaps {
    /// Leading blocks that this node holds.
    pub fn depth(&self, occupancy: &Occupancy) -> u32 {
        if occupancy.is_cold() {
            return 0;
        }
        let number = occupancy.number();
        match &self.depths {
            Depths::Few(pairs, count) => {
                let pair = pairs[..*count].iter().find(|(holder, _)| *holder == number);
                pair.map_or(0, |(_, depth)| *depth)
            }
            Depths::Many(depths) => depths.get(usize::from(number)).copied().unwrap_or(0),
        }
    }

    /// Leading blocks that the node with most of them holds.
    pub fn deepest(&self) -> u32 {
        self.deepest
    }

    /// So many holders are to come, of numbers below `numbers`.
    pub(super) fn expect(&mut self, count: usize, numbers: usize) {
        if count > FEW {
            self.depths = Depths::Many(vec![0; numbers]);
        }
    }

    /// This one holds so many blocks. Told for depth after depth, at most as many holders as are expected.
    pub(super) fn put(&mut self, number: u16, depth: u32) {
        self.deepest = depth;
        match &mut self.depths {
            Depths::Few(pairs, count) => {
                let known = pairs[..*count].iter().position(|(holder, _)| *holder == number);
                let place = known.unwrap_or(*count);
                if let Some(pair) = pairs.get_mut(place) {
                    *pair = (number, depth);
                    *count = (*count).max(place + 1);
                }
            }
            Depths::Many(depths) => {
                if let Some(known) = depths.get_mut(usize::from(number)) {
                    *known = depth;
                }
            }
        }
    }
}
