//! Of which prompts do benchmarks ask? Of some that recur, each of as many blocks.

use pointsman::domain::time::Chance;

/// Blocks of a prompt.
pub(crate) const BLOCKS: u64 = 32;
/// Tokens of a prompt: its blocks of 256 and a rest.
pub(crate) const PROMPT_TOKENS: u32 = 8300;
/// Prompts that recur.
pub(crate) const PROMPTS: u64 = 512;

/// Hash of a block of a recurring prompt, spread over all 64 bits.
pub(crate) fn block(prompt: u64, block: u64) -> u64 {
    Chance::with_seed(prompt * BLOCKS + block).u64(..)
}
