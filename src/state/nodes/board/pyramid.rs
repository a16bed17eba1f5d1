//! Which nodes can be among the cheapest?
//!
//! Standings lie in groups of [`WIDTH`], column by column; over each group stands its best, the least of each column, in
//! a group of the next level, and so on up to one group. No node costs less than the best of its group, whatever the
//! request (costs grow with each column), so a search from the top looks at few groups. How a cost is reckoned is told
//! by the caller, for a whole group at once.

use fearless_simd::{Level, dispatch};

use super::lanes;
use crate::state::nodes::standing::Standing;

/// Standings of a group.
pub const WIDTH: usize = 16;

/// A group of standings, column by column.
#[derive(Debug, Clone)]
pub struct Group {
    /// As [`Standing::free_at`].
    pub free_at: [f64; WIDTH],
    /// As [`Standing::backlog`].
    pub backlog: [f64; WIDTH],
    /// As [`Standing::pace`].
    pub pace: [f64; WIDTH],
    /// As [`Standing::decoding`].
    pub decoding: [f64; WIDTH],
    /// As [`Standing::context`].
    pub context: [f64; WIDTH],
    /// As [`Standing::lively`].
    pub lively: [f64; WIDTH],
    /// As [`Standing::block_share`].
    pub block_share: [f64; WIDTH],
    /// As [`Standing::typical`].
    pub typical: [f64; WIDTH],
    /// As [`Standing::typical_at`].
    pub typical_at: [f64; WIDTH],
}

/// How costs are reckoned.
pub(super) trait Costs {
    /// The least that nodes cost which stand so or worse.
    fn at_least(&self, group: &Group) -> [f64; WIDTH];

    /// What the nodes cost that stand so, at the places from `first` on.
    fn of_nodes(&self, group: &Group, first: usize) -> [f64; WIDTH];
}

/// Groups over groups.
#[derive(Debug)]
pub(super) struct Pyramid {
    /// The lowest level first; the last one is a single group, or none.
    levels: Vec<Vec<Group>>,
    /// How many numbers the processor compares at once.
    level: Level,
}

/// The cheapest that were found, and what none of the others can beat.
#[derive(Debug)]
pub(super) struct Found {
    /// Cost and place, cheapest first.
    best: Vec<(f64, usize)>,
    wanted: usize,
    /// What the dearest costs that is wanted.
    limit: f64,
}

/// More than are wanted are kept only where they cost the same.
const TIES_MAX: usize = 2 * WIDTH;

impl Group {
    fn out() -> Self {
        let out = Standing::OUT;
        Self {
            free_at: [out.free_at; WIDTH],
            backlog: [out.backlog; WIDTH],
            pace: [out.pace; WIDTH],
            decoding: [out.decoding; WIDTH],
            context: [out.context; WIDTH],
            lively: [out.lively; WIDTH],
            block_share: [out.block_share; WIDTH],
            typical: [out.typical; WIDTH],
            typical_at: [out.typical_at; WIDTH],
        }
    }

    /// The standing in one place.
    #[inline(always)]
    pub fn get(&self, lane: usize) -> Standing {
        Standing {
            free_at: self.free_at[lane],
            backlog: self.backlog[lane],
            pace: self.pace[lane],
            decoding: self.decoding[lane],
            context: self.context[lane],
            lively: self.lively[lane],
            block_share: self.block_share[lane],
            typical: self.typical[lane],
            typical_at: self.typical_at[lane],
        }
    }

    /// Puts a standing in its place; says whether it was another before.
    fn put(&mut self, lane: usize, standing: &Standing) -> bool {
        if self.get(lane) == *standing {
            return false;
        }
        self.free_at[lane] = standing.free_at;
        self.backlog[lane] = standing.backlog;
        self.pace[lane] = standing.pace;
        self.decoding[lane] = standing.decoding;
        self.context[lane] = standing.context;
        self.lively[lane] = standing.lively;
        self.block_share[lane] = standing.block_share;
        self.typical[lane] = standing.typical;
        self.typical_at[lane] = standing.typical_at;
        debug_assert!(self.get(lane) == *standing, "what is no number is never the least");
        true
    }

    /// The least of each column.
    fn best(&self, level: Level) -> Standing {
        dispatch!(level, simd => Standing {
            free_at: lanes::least(simd, &self.free_at),
            backlog: lanes::least(simd, &self.backlog),
            pace: lanes::least(simd, &self.pace),
            decoding: lanes::least(simd, &self.decoding),
            context: lanes::least(simd, &self.context),
            lively: lanes::least(simd, &self.lively),
            block_share: lanes::least(simd, &self.block_share),
            typical: lanes::least(simd, &self.typical),
            typical_at: lanes::least(simd, &self.typical_at),
        })
    }
}

impl Pyramid {
    /// For so many nodes, none of which may be picked yet.
    pub(super) fn new(nodes: usize) -> Self {
        let mut levels = Vec::new();
        let mut count = nodes;
        while count > 0 {
            count = count.div_ceil(WIDTH);
            levels.push(vec![Group::out(); count]);
            if count == 1 {
                break;
            }
        }
        Self { levels, level: Level::new() }
    }

    /// A node stands otherwise now. Only what changes is written, and only as far up as it does.
    pub(super) fn set(&mut self, place: usize, standing: &Standing) {
        let (mut place, mut standing) = (place, *standing);
        for groups in &mut self.levels {
            let Some(group) = groups.get_mut(place / WIDTH) else { return };
            if !group.put(place % WIDTH, &standing) {
                return;
            }
            standing = group.best(self.level);
            place /= WIDTH;
        }
    }

    /// The standing of a node.
    pub(super) fn get(&self, place: usize) -> Standing {
        self.levels[0][place / WIDTH].get(place % WIDTH)
    }

    /// The groups of nodes.
    pub(super) fn groups(&self) -> &[Group] {
        self.levels.first().map_or(&[], Vec::as_slice)
    }

    /// Adds the cheapest nodes to those that were found before. Of groups that cost the same the first one from `start` on,
    /// around the circle, is looked at first.
    pub(super) fn search(&self, found: &mut Found, start: usize, costs: &impl Costs) {
        if let Some(top) = self.levels.len().checked_sub(1) {
            self.visit((top, 0), found, start, costs);
        }
    }

    fn visit(&self, (level, number): (usize, usize), found: &mut Found, start: usize, costs: &impl Costs) {
        let group = &self.levels[level][number];
        let is_leaf = level == 0;
        let mut left = if is_leaf { costs.of_nodes(group, number * WIDTH) } else { costs.at_least(group) };
        loop {
            let next = lanes::cheapest(self.level, &left, start);
            let (cost, below) = (left[next], number * WIDTH + next);
            let is_cheap = if is_leaf { found.offer(cost, below) } else { found.could_take(cost) };
            // The others cost no less.
            if !is_cheap {
                return;
            }
            left[next] = f64::INFINITY;
            if !is_leaf {
                self.visit((level - 1, below), found, start, costs);
            }
        }
    }
}

impl Found {
    /// Nothing yet, of so many that are wanted: at least 1.
    pub(super) fn new(wanted: usize) -> Self {
        // Few cost the same.
        Self { best: Vec::with_capacity(wanted + 1), wanted: wanted.max(1), limit: Standing::OUT_COST }
    }

    /// A node at this cost, unless it is out; says whether it costs no more than those that are wanted. Of a node that was
    /// found before the lesser cost counts.
    pub(super) fn offer(&mut self, cost: f64, place: usize) -> bool {
        let is_cheap = cost <= self.limit && cost < Standing::OUT_COST;
        if is_cheap {
            self.take(cost, place);
        }
        is_cheap
    }

    fn take(&mut self, cost: f64, place: usize) {
        let mut at = self.best.len();
        for (known, (held, other)) in self.best.iter().enumerate().rev() {
            if *other == place {
                return;
            }
            if *held > cost {
                at = known;
            }
        }
        self.best.insert(at, (cost, place));
        if let Some((dearest, _)) = self.best.get(self.wanted - 1) {
            self.limit = *dearest;
            self.drop_dearer();
        }
    }

    fn drop_dearer(&mut self) {
        let kept = self.wanted.max(TIES_MAX);
        while self.best.last().is_some_and(|(cost, _)| *cost > self.limit) || self.best.len() > kept {
            self.best.pop();
        }
    }

    /// Whether a node of this cost would be among the cheapest.
    fn could_take(&self, cost: f64) -> bool {
        cost < self.limit
    }

    /// The places, ascending.
    pub(super) fn places(self) -> Vec<usize> {
        let mut places: Vec<_> = self.best.into_iter().map(|(_, place)| place).collect();
        places.sort_unstable();
        places
    }
}

#[cfg(test)]
mod tests;
