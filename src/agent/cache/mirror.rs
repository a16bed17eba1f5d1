//! Which of our blocks do the engine's blocks make up?
//!
//! An engine's block is some 16 tokens, ours some 256. Each of the engine's is kept with its tokens and the one before
//! it; where one reaches the end of one of ours, the tokens are gathered from those before it and hashed as gateways
//! do (`tests/prefix`). One of ours is there as long as all are that it is made of.
//!
//! vLLM knows no tenants. What it calls a salt (`cache_salt` of a request) keeps prompts apart; a gateway that serves
//! several tenants sends the tenant's name as the salt. Prompts without one are the configured tenant's.

use std::{collections::HashMap, num::NonZeroU32, sync::Arc};

use sha2::{Digest, Sha256};

use super::{
    decode::{EngineBlock, ExtraKey, Stored},
    journal::Journal,
};
use crate::{
    config::CacheEvents,
    domain::id::{AdapterName, ModelName, TenantId},
};

/// Most blocks of an engine that are kept: 8 million tokens of 16 a block, in some 100 MB.
const BLOCKS_MAX: usize = 1 << 19;
/// Most tenants and adapters that are told apart.
const SCOPES_MAX: usize = 4096;

/// Whose prompts a block is of.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Scope {
    /// Tenant.
    pub(super) tenant: TenantId,
    /// Model.
    pub(super) model: ModelName,
    /// Adapter on top of it; `None` means the model alone.
    pub(super) adapter: Option<AdapterName>,
}

/// The engine's blocks that hang together from the beginning of a prompt.
#[derive(Debug)]
pub(super) struct Mirror {
    block_tokens: NonZeroU32,
    tenant: TenantId,
    model: ModelName,
    scopes: Vec<Arc<Scope>>,
    blocks: HashMap<EngineBlock, Block>,
    /// Ours, each time that one is made up, by number: where blocks of the engine end within ours, two chains of the engine's
    /// can make up the same.
    made_up: HashMap<u64, u64>,
    made_up_so_far: u64,
    /// How many times each of ours is.
    ours: HashMap<u64, u32>,
}

/// One of the engine's blocks.
#[derive(Debug)]
struct Block {
    parent: Option<EngineBlock>,
    scope: Arc<Scope>,
    tokens: Box<[u32]>,
    /// Tokens of the prompt up to its end.
    end: u64,
    /// Hash of the last of ours that ends in it or before it; `None` where none does.
    last: Option<u64>,
    /// What it is a part of, by number.
    part_of: Vec<u64>,
}

impl Mirror {
    /// Knows no block. Ours have so many tokens.
    pub(super) fn new(block_tokens: NonZeroU32, config: &CacheEvents) -> Self {
        Self {
            block_tokens,
            tenant: config.tenant.clone(),
            model: config.model.clone(),
            scopes: Vec::new(),
            blocks: HashMap::new(),
            made_up: HashMap::new(),
            made_up_so_far: 0,
            ours: HashMap::new(),
        }
    }

    /// Tokens of one of ours.
    pub(super) fn block_tokens(&self) -> NonZeroU32 {
        self.block_tokens
    }

    /// Whether it must be emptied before it takes more.
    pub(super) fn is_full(&self) -> bool {
        self.blocks.len() > BLOCKS_MAX || self.scopes.len() > SCOPES_MAX
    }

    /// Knows no block any more.
    pub(super) fn clear(&mut self) {
        self.blocks.clear();
        self.scopes.clear();
        self.made_up.clear();
        self.ours.clear();
    }

    /// Takes in blocks that came. Those after a block that is not known are passed over, and so is from one on that is not
    /// told apart by its tokens, its adapter and its tenant.
    pub(super) fn store(&mut self, stored: &Stored, journal: &mut Journal) {
        let tokens = stored.tokens.chunks_exact(stored.tokens.len() / stored.blocks.len().max(1));
        let mut parent = stored.parent.clone();
        for ((block, tokens), keys) in stored.blocks.iter().zip(tokens).zip(&stored.keys) {
            let Some(scope) = self.scope(parent.as_ref(), keys, stored.adapter.as_deref()) else { return };
            if !self.blocks.contains_key(block) {
                self.add(block, parent, scope, tokens);
            }
            self.make_up(block, journal);
            parent = Some(block.clone());
        }
    }

    /// Takes in blocks that went.
    pub(super) fn remove(&mut self, blocks: &[EngineBlock], journal: &mut Journal) {
        for block in blocks.iter().filter_map(|block| self.blocks.remove(block)) {
            for ours in block.part_of.iter().filter_map(|number| self.made_up.remove(number)) {
                let times = self.ours.entry(ours).or_default();
                *times = times.saturating_sub(1);
                if *times == 0 {
                    self.ours.remove(&ours);
                    journal.remove(ours);
                }
            }
        }
    }

    /// Whose prompt the block is of: its parent's, or what its keys say if it begins one.
    fn scope(
        &mut self,
        parent: Option<&EngineBlock>,
        keys: &[ExtraKey],
        adapter: Option<&str>,
    ) -> Option<Arc<Scope>> {
        let own = |key: &&ExtraKey| !matches!(key, ExtraKey::Text(text) if Some(text.as_str()) == adapter);
        let mut keys = keys.iter().filter(own);
        let salt = match (parent, keys.next(), keys.next()) {
            (Some(parent), None, _) => {
                return self.blocks.get(parent).map(|parent| Arc::clone(&parent.scope));
            }
            (None, Some(ExtraKey::Text(salt)), None) => Some(salt),
            (None, None, _) => None,
            _ => return None,
        };
        let scope = Scope {
            tenant: salt.map_or(Some(self.tenant.clone()), |salt| TenantId::parse(salt).ok())?,
            model: self.model.clone(),
            adapter: adapter.map(AdapterName::parse).transpose().ok()?,
        };
        let known = self.scopes.iter().find(|known| ***known == scope).map(Arc::clone);
        Some(known.unwrap_or_else(|| {
            let new = Arc::new(scope);
            self.scopes.push(Arc::clone(&new));
            new
        }))
    }

    fn add(&mut self, name: &EngineBlock, parent: Option<EngineBlock>, scope: Arc<Scope>, tokens: &[u32]) {
        let begin = parent.as_ref().and_then(|parent| self.blocks.get(parent)).map_or(0, |parent| parent.end);
        let end = begin + tokens.len() as u64;
        let block = Block { parent, scope, tokens: tokens.into(), end, last: None, part_of: Vec::new() };
        self.blocks.insert(name.clone(), block);
    }

    /// Makes up those of ours that end in this block. An engine that has lost the middle of a prompt and computes it again
    /// tells of what follows once more: what was there all along is a part of ours again.
    fn make_up(&mut self, name: &EngineBlock, journal: &mut Journal) {
        let Some(block) = self.blocks.get(name) else { return };
        let (begin, end) = (block.end - block.tokens.len() as u64, block.end);
        let before = block.parent.as_ref().and_then(|parent| self.blocks.get(parent)).and_then(|p| p.last);
        let size = u64::from(self.block_tokens.get());
        if let Some(block) = self.blocks.get_mut(name) {
            block.last = before;
            block.part_of.retain(|number| self.made_up.contains_key(number));
        }
        for number in begin / size + 1..=end / size {
            if self.complete(name, number * size, journal).is_none() {
                // A block before it is gone: what follows cannot be hashed either.
                return self.remove(std::slice::from_ref(name), journal);
            }
        }
    }

    /// One of ours ends after so many tokens of the prompt, in this block of the engine.
    fn complete(&mut self, name: &EngineBlock, end: u64, journal: &mut Journal) -> Option<()> {
        let parts = self.parts(name, end - u64::from(self.block_tokens.get()))?;
        let tokens = self.tokens(&parts, end);
        let block = self.blocks.get_mut(name)?;
        let before = block.last.unwrap_or_else(|| root(&block.scope));
        let parent = block.last;
        let ours = hash(before, &tokens);
        block.last = Some(ours);
        if block.part_of.iter().any(|number| self.made_up.get(number) == Some(&ours)) {
            return Some(());
        }
        journal.store(&block.scope, parent, ours);
        self.made_up_so_far += 1;
        self.made_up.insert(self.made_up_so_far, ours);
        *self.ours.entry(ours).or_default() += 1;
        for part in &parts {
            self.blocks.get_mut(part)?.part_of.push(self.made_up_so_far);
        }
        Some(())
    }

    /// The tokens of one of ours that ends there, from the parts that it is made of.
    fn tokens(&self, parts: &[EngineBlock], end: u64) -> Vec<u32> {
        let begin = end - u64::from(self.block_tokens.get());
        let mut tokens: Vec<u32> = Vec::with_capacity(self.block_tokens.get() as usize);
        for block in parts.iter().rev().filter_map(|part| self.blocks.get(part)) {
            let first = block.end - block.tokens.len() as u64;
            let within = |at: u64| {
                usize::try_from(at.saturating_sub(first)).unwrap_or(usize::MAX).min(block.tokens.len())
            };
            tokens.extend(&block.tokens[within(begin)..within(end)]);
        }
        tokens
    }

    /// The engine's blocks that reach from there to this one, the last first; `None` where one is gone.
    fn parts(&self, name: &EngineBlock, begin: u64) -> Option<Vec<EngineBlock>> {
        let mut parts = vec![name.clone()];
        let mut block = self.blocks.get(name)?;
        while block.end - block.tokens.len() as u64 > begin {
            let parent = block.parent.as_ref()?;
            block = self.blocks.get(parent)?;
            parts.push(parent.clone());
        }
        Some(parts)
    }
}

/// What the first hash of a prompt follows.
fn root(scope: &Scope) -> u64 {
    let adapter = scope.adapter.as_ref().map(AdapterName::as_str).unwrap_or_default();
    let text = format!("pointsman.prefix.v1\0{}\0{}\0{adapter}", scope.tenant, scope.model);
    first_bytes(&Sha256::digest(text))
}

fn hash(before: u64, tokens: &[u32]) -> u64 {
    let mut sha = Sha256::new();
    sha.update(before.to_le_bytes());
    for token in tokens {
        sha.update(token.to_le_bytes());
    }
    first_bytes(&sha.finalize())
}

fn first_bytes(digest: &[u8]) -> u64 {
    digest.iter().take(8).rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

#[cfg(test)]
pub(super) mod tests;
