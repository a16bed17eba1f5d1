//! What does a request cost on the nodes of a board? Whoever looks for the cheapest says.

use super::pyramid::{Costs, Group, WIDTH};
use crate::state::nodes::{prefixes::Overlaps, reading::Reading, standing::Standing};

/// The pyramid is made up anew where a price has moved by more than this share.
const PRICE_MOVE: f64 = 0.1;

/// How the costs of one request are reckoned.
pub trait Asked {
    /// What it asks of a node, once it is known how much of its prompt the node holds.
    type Ask;

    /// What it asks of a node that holds so many blocks of its prompt.
    fn ask(&self, depth: u32) -> Self::Ask;

    /// What it costs on a node that stands so.
    fn cost(&self, standing: &Standing, ask: &Self::Ask) -> f64;

    /// The same on each of a group.
    fn costs(&self, group: &Group, ask: &Self::Ask) -> [f64; WIDTH];

    /// The least that it costs on nodes that stand so or worse, where a typical request asks that, and this one's cost is
    /// like a typical one's to such a share.
    fn at_least(&self, group: &Group, ask: &Self::Ask, typical: &Typical, likeness: f64) -> [f64; WIDTH];

    /// What is typical, with this request.
    fn typical(&self, ask: &Self::Ask, before: Typical) -> Typical;

    /// What a typical request costs on a node that stands so, but for the wait.
    fn typical_cost(&self, standing: &Standing, typical: &Typical) -> f64;

    /// How much of each part of a typical request's cost this one's has at least, from 0 to 1.
    fn likeness(&self, ask: &Self::Ask, typical: &Typical) -> f64;
}

/// What a typical request asks, in the terms of who reckons costs.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Typical {
    /// Work of its prompt; 0 where nothing is known.
    pub work: f64,
    /// Blocks of its prompt.
    pub blocks: f64,
    /// Price of work.
    pub price: f64,
    /// Price of context.
    pub drag: f64,
    /// Price of what it pushes out.
    pub eviction: f64,
}

impl Typical {
    /// Whether work and room are worth about as much.
    pub(super) fn is_near(&self, other: &Self) -> bool {
        let near = |a: f64, b: f64| (a - b).abs() <= PRICE_MOVE * b;
        near(self.price, other.price) && near(self.eviction, other.eviction)
    }
}

/// What a request costs where many may hold as much of its prompt.
pub(super) struct Prices<'a, A: Asked> {
    asked: &'a A,
    common: A::Ask,
    typical: &'a Typical,
    likeness: f64,
    readings: &'a [Reading],
    overlaps: &'a Overlaps,
}

impl<'a, A: Asked> Prices<'a, A> {
    /// `common` is what is asked of nodes that hold as much as any that is not looked at first.
    pub(super) fn new(
        asked: &'a A,
        common: A::Ask,
        typical: &'a Typical,
        readings: &'a [Reading],
        overlaps: &'a Overlaps,
    ) -> Self {
        let likeness = asked.likeness(&common, typical);
        Self { asked, common, typical, likeness, readings, overlaps }
    }
}

impl<A: Asked> Costs for Prices<'_, A> {
    fn at_least(&self, group: &Group) -> [f64; WIDTH] {
        self.asked.at_least(group, &self.common, self.typical, self.likeness)
    }

    fn of_nodes(&self, group: &Group, first: usize) -> [f64; WIDTH] {
        if self.overlaps.common() == 0 {
            return self.asked.costs(group, &self.common);
        }
        std::array::from_fn(|lane| {
            let holder = self.readings.get(first + lane).and_then(|reading| reading.holder);
            let depth = self.overlaps.depth(holder);
            self.asked.cost(&group.get(lane), &self.asked.ask(depth))
        })
    }
}
