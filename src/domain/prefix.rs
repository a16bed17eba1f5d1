//! What does the beginning of a prompt share with other prompts?
//!
//! A prompt is cut into blocks of equal length. A block's key stands for that block *and all before it*, so that
//! two prompts that have a key in common begin alike up to there.

pub mod scope;

use std::num::NonZeroU32;

use super::id::{AdapterName, ModelName, TenantId};

/// Stands for a block of a prompt and everything before it, among the prompts of one tenant for one model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct BlockKey(u64);

impl BlockKey {
    /// The key with this number; numbers must be spread evenly over all 64 bits.
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The key as a number.
    pub const fn get(self) -> u64 {
        self.0
    }
}

/// What a node's engine says of its key-value cache since its last word.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KvEvents {
    /// Whether the cache was emptied, before all else that is said here.
    pub cleared: bool,
    /// What became of its blocks.
    pub changes: Vec<KvChange>,
}

impl KvEvents {
    /// Most blocks of one report, stored and removed ones together.
    pub const BLOCKS_MAX: usize = 4096;
}

/// What became of the blocks of one tenant's prompts for one model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KvChange {
    /// Tenant.
    pub tenant: TenantId,
    /// Model.
    pub model: ModelName,
    /// Adapter on top of it; `None` means the model alone.
    pub adapter: Option<AdapterName>,
    /// Blocks that it holds no longer: they go before those stored come.
    pub removed: Vec<u64>,
    /// Runs of blocks that it holds now.
    pub stored: Vec<KvRun>,
}

/// A run of blocks that an engine holds, each the next one's parent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KvRun {
    /// The block before the first; `None` means that the first begins a prompt.
    pub parent: Option<u64>,
    /// The blocks, at least one.
    pub blocks: Vec<u64>,
}

/// How prefixes are remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PrefixPolicy {
    /// Tokens of a block: gateways cut prompts by it, and all must use the same.
    pub block_tokens: NonZeroU32,
    /// Most bytes that the index of prefixes takes.
    pub bytes_max: u64,
    /// Blocks that a node is taken to hold as long as it does not say how large its cache is.
    pub node_blocks: NonZeroU32,
}

impl PrefixPolicy {
    /// Most blocks of one prompt.
    pub const BLOCKS_MAX: usize = 4096;

    /// Whole blocks of so many tokens.
    pub fn blocks_of(&self, tokens: u64) -> u32 {
        u32::try_from(tokens / u64::from(self.block_tokens.get())).unwrap_or(u32::MAX)
    }
}

impl Default for PrefixPolicy {
    fn default() -> Self {
        Self {
            block_tokens: NonZeroU32::new(256).expect("256 is not 0"),
            bytes_max: 256 << 20,
            node_blocks: NonZeroU32::new(1024).expect("1024 is not 0"),
        }
    }
}
