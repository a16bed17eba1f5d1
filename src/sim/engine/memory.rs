//! What of earlier prompts is still in a node's key-value cache, and is there room for one more?
//!
//! Paged: blocks of equal size. A prompt's leading blocks that are there are shared; the rest is private until it is
//! computed, then others may share it. What a request leaves behind stays, tail evicted first, least recently used.

use std::collections::{BTreeMap, HashMap};

/// The cache of one node, in blocks.
#[derive(Debug, Default)]
pub struct Memory {
    /// Blocks that nothing was ever put into, or that were given back.
    free: u32,
    shared: HashMap<u64, Block>,
    /// Blocks that nobody holds, by when they were let go.
    idle: BTreeMap<u64, u64>,
    lets: u64,
    /// What was evicted since it was last asked, for those who follow the cache's changes.
    evicted: Vec<u64>,
}

#[derive(Debug, Clone, Copy)]
struct Block {
    holders: u32,
    /// When it was let go, while nobody holds it.
    idle_since: u64,
}

/// What one sequence holds.
#[derive(Debug, Default, Clone)]
pub struct Held {
    /// Its prompt's blocks that others may share, in order.
    shared: Vec<u64>,
    /// Blocks of its own.
    private: u32,
}

impl Held {
    /// Blocks that it shares, all of them leading ones.
    pub fn shared(&self) -> u32 {
        u32::try_from(self.shared.len()).unwrap_or(u32::MAX)
    }

    /// Blocks in all.
    pub fn blocks(&self) -> u32 {
        self.private + self.shared()
    }
}

impl Memory {
    /// An empty cache of so many blocks.
    pub fn new(blocks: u32) -> Self {
        Self { free: blocks, ..Self::default() }
    }

    /// How many leading blocks of a prompt are there.
    pub fn overlap(&self, blocks: &[u64]) -> usize {
        blocks.iter().take_while(|block| self.shared.contains_key(block)).count()
    }

    /// Takes room for a sequence of so many blocks, sharing what is there of the prompt's; `None` where there is none.
    pub fn admit(&mut self, prompt: &[u64], needs: u32) -> Option<Held> {
        let hits = &prompt[..self.overlap(prompt).min(needs as usize)];
        let idle_hits = hits.iter().filter(|block| self.shared[block].holders == 0).count();
        let lacks = needs - u32::try_from(hits.len()).unwrap_or(u32::MAX);
        if u64::from(lacks) > u64::from(self.free) + (self.idle.len() - idle_hits) as u64 {
            return None;
        }
        for block in hits {
            if let Some(held) = self.shared.get_mut(block) {
                if held.holders == 0 {
                    self.idle.remove(&held.idle_since);
                }
                held.holders += 1;
            }
        }
        for _ in 0..lacks {
            self.take_one();
        }
        Some(Held { shared: hits.to_vec(), private: lacks })
    }

    /// Takes one more block for a sequence; false where there is none.
    pub fn grow(&mut self, held: &mut Held) -> bool {
        let grows = self.free > 0 || !self.idle.is_empty();
        if grows {
            self.take_one();
            held.private += 1;
        }
        grows
    }

    /// Lets others share the next block of a prompt, now that it is computed; says whether it is new. One that is
    /// there already stays the sequence's own, and those after it too.
    pub fn publish(&mut self, held: &mut Held, prompt: &[u64], computed: usize) -> usize {
        let from = held.shared.len();
        for &block in prompt.iter().take(computed).skip(from) {
            if held.private == 0 || self.shared.contains_key(&block) {
                break;
            }
            self.shared.insert(block, Block { holders: 1, idle_since: 0 });
            held.shared.push(block);
            held.private -= 1;
        }
        held.shared.len() - from
    }

    /// Lets go of all that a sequence holds.
    pub fn release(&mut self, held: &Held) {
        self.free += held.private;
        for &block in held.shared.iter().rev() {
            let Some(known) = self.shared.get_mut(&block) else { continue };
            known.holders -= 1;
            if known.holders == 0 {
                self.lets += 1;
                known.idle_since = self.lets;
                self.idle.insert(self.lets, block);
            }
        }
    }

    /// Blocks evicted since the last call.
    pub fn take_evicted(&mut self) -> Vec<u64> {
        std::mem::take(&mut self.evicted)
    }

    /// Only where there is one.
    fn take_one(&mut self) {
        if self.free > 0 {
            self.free -= 1;
        } else if let Some((_, block)) = self.idle.pop_first() {
            self.shared.remove(&block);
            self.evicted.push(block);
        }
    }
}
