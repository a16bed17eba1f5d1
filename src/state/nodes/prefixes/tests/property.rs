//! Whatever is done to it, the index says what the model says.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use proptest::{prelude::*, sample::Index};

use super::{
    chain,
    model::{Model, ModelNode},
};
use crate::{
    domain::{prefix::BlockKey, time::Instant},
    state::nodes::prefixes::{
        Occupancy, Prefixes, Wanted,
        lively::{TAUS, TICKS},
    },
};

/// Less than the nodes of the second property could hold.
const BYTES_MAX: u64 = 3000;

#[derive(Debug, Clone)]
enum Act {
    Join(u32),
    Leave(Index),
    Place(Index, String),
    Stored(Index, String, usize),
    Removed(Index, String, Vec<Index>),
    Resize(Index, u32),
    Clear(Index),
    Chill(Index),
    Pass(u32),
}

/// Few letters, so that prompts share beginnings.
fn prompt() -> impl Strategy<Value = String> {
    "[ab]{0,3}[abc]{0,9}"
}

fn act() -> impl Strategy<Value = Act> {
    let node = any::<Index>;
    prop_oneof![
        2 => (0_u32..60).prop_map(Act::Join),
        1 => node().prop_map(Act::Leave),
        16 => (node(), prompt()).prop_map(|(node, prompt)| Act::Place(node, prompt)),
        4 => (node(), prompt(), 0_usize..12).prop_map(|(node, prompt, from)| Act::Stored(node, prompt, from)),
        4 => (node(), prompt(), prop::collection::vec(any::<Index>(), 1..4))
            .prop_map(|(node, prompt, which)| Act::Removed(node, prompt, which)),
        2 => (node(), 0_u32..60).prop_map(|(node, capacity)| Act::Resize(node, capacity)),
        1 => node().prop_map(Act::Clear),
        1 => node().prop_map(Act::Chill),
        6 => (0_u32..20_000).prop_map(Act::Pass),
    ]
}

/// The index and its model side by side.
#[derive(Default)]
struct Pair {
    prefixes: Prefixes,
    model: Model,
    nodes: BTreeMap<u16, Arc<Occupancy>>,
    tick: u32,
}

impl Pair {
    fn now(&self) -> Instant {
        Instant::after_start(Duration::from_secs_f64(f64::from(self.tick) / TICKS))
    }

    fn pick(&mut self, index: Index) -> Option<(Arc<Occupancy>, &mut ModelNode)> {
        let node = Arc::clone(self.nodes.values().nth(index.index(self.nodes.len().max(1)))?);
        let model = self.model.nodes.get_mut(&node.number())?;
        Some((node, model))
    }

    fn play(&mut self, act: &Act) -> Option<()> {
        match act {
            Act::Join(capacity) => {
                let node = self.prefixes.join(*capacity)?;
                let known = self.model.nodes.insert(
                    node.number(),
                    ModelNode { capacity: *capacity as usize, ..ModelNode::default() },
                );
                assert!(known.is_none(), "two nodes of one number");
                self.nodes.insert(node.number(), node);
            }
            Act::Leave(index) => {
                let (node, _) = self.pick(*index)?;
                self.prefixes.leave(&node);
                self.model.nodes.remove(&node.number());
                self.nodes.remove(&node.number());
            }
            Act::Place(index, prompt) => {
                let (node, _) = self.pick(*index)?;
                self.prefixes.place(&node, &chain(prompt), u64::MAX, self.now());
                self.model.place(node.number(), &chain(prompt), self.tick);
            }
            Act::Stored(index, prompt, from) => self.store(*index, &chain(prompt), *from)?,
            Act::Removed(index, prompt, which) => {
                let blocks = chain(prompt);
                let which: Vec<_> =
                    which.iter().filter(|_| !blocks.is_empty()).map(|index| *index.get(&blocks)).collect();
                let (node, model) = self.pick(*index)?;
                model.removed(&which);
                self.prefixes.removed(&node, &which);
            }
            Act::Resize(index, capacity) => {
                let (node, model) = self.pick(*index)?;
                model.capacity = *capacity as usize;
                model.blocks.truncate(model.capacity);
                self.prefixes.resize(&node, *capacity);
            }
            Act::Clear(index) => {
                let (node, model) = self.pick(*index)?;
                model.blocks.clear();
                self.prefixes.clear(&node);
            }
            Act::Chill(index) => {
                let (node, model) = self.pick(*index)?;
                model.cold = true;
                node.chill();
            }
            Act::Pass(ticks) => self.tick += ticks,
        }
        Some(())
    }

    fn store(&mut self, index: Index, blocks: &[BlockKey], from: usize) -> Option<()> {
        let from = from.min(blocks.len());
        let (node, model) = self.pick(index)?;
        let parent = from.checked_sub(1).map(|index| blocks[index]);
        let is_there = parent.is_none_or(|parent| !model.cold && model.path(parent).is_some());
        if is_there {
            self.model.place(node.number(), blocks, self.tick);
        }
        self.prefixes.stored(&node, parent, &blocks[from..], u64::MAX, self.now());
        Some(())
    }

    fn compare(&self, asked: &[BlockKey]) {
        self.prefixes.check();
        self.prefixes.check_told();
        let overlaps = self.prefixes.overlaps(asked);
        for (number, node) in &self.nodes {
            let model = &self.model.nodes[number];
            assert_eq!(overlaps.depth(node.holder()) as usize, model.depth(asked));
            assert_eq!(node.held() as usize, model.held());
            assert!(node.held() <= node.capacity());
            for tau in TAUS {
                let lively = node.lively(&Wanted::within(Duration::from_secs_f64(tau / 8.0), self.now()));
                let exact = model.lively(tau, self.tick);
                assert!((lively - exact).abs() < 1e-6, "{lively} for {exact} at {tau}");
            }
        }
        assert_eq!(self.prefixes.blocks(), self.model.total());
    }
}

proptest! {
    #[test]
    fn the_index_says_what_the_model_says(
        acts in prop::collection::vec((act(), prompt()), 1..120),
        nodes in 1_u32..24,
    ) {
        let mut pair = Pair::default();
        for number in 0..nodes {
            pair.play(&Act::Join(10 + 2 * number));
        }
        for (act, asked) in acts {
            pair.play(&act);
            pair.compare(&chain(&asked));
        }
    }

    /// Keys that stand for nothing, in any order: the index stays whole and within its bounds.
    #[test]
    fn broken_promises_break_nothing(
        acts in prop::collection::vec(
            (0_usize..4, prop::collection::vec(0_u64..12, 0..8), 0_u8..8), 1..200),
    ) {
        let prefixes = Prefixes::default();
        let nodes: Vec<_> = (0..4).filter_map(|number| prefixes.join(4 + number * 3)).collect();
        for (second, (number, numbers, kind)) in acts.into_iter().enumerate() {
            let blocks: Vec<_> = numbers.into_iter().map(BlockKey::new).collect();
            let (node, now) = (&nodes[number], super::at(second as u64));
            match kind {
                0 => prefixes.removed(node, &blocks),
                1 => prefixes.stored(node, blocks.first().copied(), &blocks, BYTES_MAX, now),
                _ => drop(prefixes.place(node, &blocks, BYTES_MAX, now)),
            }
            prefixes.check();
            prop_assert!(node.held() <= node.capacity());
            // What it takes to find blocks that engines name is made room for by the next placement.
            prop_assert!(kind < 2 || prefixes.bytes() <= BYTES_MAX);
            let overlaps = prefixes.overlaps(&blocks);
            prop_assert!(nodes.iter().all(|node| overlaps.depth(node.holder()) as usize <= blocks.len()));
        }
    }
}
