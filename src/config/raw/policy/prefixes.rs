//! What may the file say of how the beginnings of prompts are remembered?

use std::num::NonZeroU32;

use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::prefix::PrefixPolicy;

/// Most memory for prefixes, in bytes: 1 TiB.
const BYTES_MAX: u64 = 1 << 40;
/// Most tokens of a block: a longer one would never be shared.
const BLOCK_TOKENS_MAX: u32 = 65_536;
/// Most blocks of a node, as of a cache of a thousand million tokens in small blocks.
const NODE_BLOCKS_MAX: u32 = 100_000_000;

/// How the beginnings of prompts are remembered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(default, deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub struct Prefixes {
    /// Tokens of a block, 1 to 65536: gateways cut prompts by it, and all must use the same.
    #[garde(custom(at_most(BLOCK_TOKENS_MAX)))]
    pub block_tokens: NonZeroU32,
    /// Memory of all prefixes together, in bytes, 0 to 1099511627776; 0 keeps none.
    #[garde(range(max = BYTES_MAX))]
    pub bytes_max: u64,
    /// Blocks that a node is taken to hold that tells nowhere how large its cache is, 1 to 100000000.
    #[garde(custom(at_most(NODE_BLOCKS_MAX)))]
    pub node_blocks: NonZeroU32,
}

fn at_most(max: u32) -> impl FnOnce(&NonZeroU32, &()) -> garde::Result {
    move |count, ()| {
        if count.get() <= max { Ok(()) } else { Err(garde::Error::new(format!("greater than {max}"))) }
    }
}

impl Default for Prefixes {
    fn default() -> Self {
        let PrefixPolicy { block_tokens, bytes_max, node_blocks } = PrefixPolicy::default();
        Self { block_tokens, bytes_max, node_blocks }
    }
}
