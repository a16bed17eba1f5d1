//! The index as one would write it without a thought for speed.

use std::collections::{BTreeMap, HashSet};

use crate::{domain::prefix::BlockKey, state::nodes::prefixes::lively::fade};

/// One node: its blocks from the most to the least recently used, each with its tick and the one before it.
#[derive(Debug, Clone, Default)]
pub(super) struct ModelNode {
    pub(super) blocks: Vec<(BlockKey, u32, Option<BlockKey>)>,
    pub(super) capacity: usize,
    pub(super) cold: bool,
}

/// All nodes, by number.
#[derive(Debug, Default)]
pub(super) struct Model {
    pub(super) nodes: BTreeMap<u16, ModelNode>,
}

impl ModelNode {
    pub(super) fn depth(&self, chain: &[BlockKey]) -> usize {
        if self.cold {
            return 0;
        }
        let held: HashSet<_> = self.blocks.iter().map(|(block, ..)| *block).collect();
        chain.iter().take_while(|block| held.contains(block)).count()
    }

    pub(super) fn held(&self) -> usize {
        if self.cold { 0 } else { self.blocks.len() }
    }

    pub(super) fn lively(&self, tau: f64, tick: u32) -> f64 {
        if self.cold {
            return 0.0;
        }
        self.blocks.iter().map(|(_, used, _)| fade(tick - used, tau)).sum()
    }

    pub(super) fn removed(&mut self, blocks: &[BlockKey]) {
        let mut gone: HashSet<_> = blocks.iter().copied().collect();
        loop {
            let before = self.blocks.len();
            self.blocks.retain(|(block, _, parent)| {
                let goes = gone.contains(block) || parent.is_some_and(|parent| gone.contains(&parent));
                if goes {
                    gone.insert(*block);
                }
                !goes
            });
            if self.blocks.len() == before {
                return;
            }
        }
    }

    /// The chain from its beginning to this block.
    pub(super) fn path(&self, block: BlockKey) -> Option<Vec<BlockKey>> {
        let (_, _, parent) = self.blocks.iter().find(|(held, ..)| *held == block)?;
        let mut path = match parent {
            Some(parent) => self.path(*parent)?,
            None => Vec::new(),
        };
        path.push(block);
        Some(path)
    }

    pub(super) fn place(&mut self, chain: &[BlockKey], tick: u32) {
        if std::mem::take(&mut self.cold) {
            self.blocks.clear();
        }
        let chain = &chain[..chain.len().min(self.capacity)];
        let passed = self.passed_over(chain, tick);
        let parents = std::iter::once(None).chain(chain.iter().copied().map(Some));
        let placed = chain.iter().zip(parents).map(|(block, parent)| (*block, tick, parent));
        let placed: Vec<_> = placed.skip(passed).collect();
        self.blocks.retain(|(block, ..)| !chain[passed..].contains(block));
        let last = passed.checked_sub(1).map(|last| chain[last]);
        let place = last.and_then(|last| self.blocks.iter().position(|(block, ..)| *block == last));
        let place = place.map_or(0, |place| place + 1);
        self.blocks.splice(place..place, placed);
        self.blocks.truncate(self.capacity);
    }

    /// Leading blocks that stay where they are: those used in this tick already.
    fn passed_over(&self, chain: &[BlockKey], tick: u32) -> usize {
        let is_used =
            |key: &&BlockKey| self.blocks.iter().any(|(block, used, _)| block == *key && *used == tick);
        chain.iter().take_while(is_used).count()
    }
}

impl Model {
    pub(super) fn place(&mut self, number: u16, chain: &[BlockKey], tick: u32) {
        self.nodes.get_mut(&number).expect("it has joined").place(chain, tick);
    }

    pub(super) fn total(&self) -> usize {
        self.nodes.values().map(|node| node.blocks.len()).sum()
    }
}
