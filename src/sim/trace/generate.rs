//! What would requests look like, when no trace is at hand?
//!
//! Drawn from what was published of real ones. A seed always gives the same trace. What the sources tell is kept
//! (lengths, burstiness, how much of the prompts repeats); what they do not is an assumption and said where it is
//! made. Prompts are told by their full blocks only.
//!
//! | workload | after | prompts | answers | repeats | arrivals |
//! |---|---|---|---|---|---|
//! | `Chat` | Mooncake conversation | 12,035 tokens, p99 85,401 | 343 | 37 % | open, CV 3 |
//! | `Agents` | coding agents | grow over turns to a mean of 72,000 | 414 | 96 % | closed |
//! | `ShortPrompts` | Azure 2023 code | 2,048 | 28 | not told | open, CV 13 |

mod agents;
mod chat;
mod draw;
mod short;

use super::{Draft, Trace, draft::Entry};
use crate::domain::time::Chance;

/// Tokens of a block, as in the traces of Mooncake.
const BLOCK_TOKENS: u32 = 512;
/// Longest prompt: the window of the models that were recorded.
const PROMPT_MAX: u32 = 131_072;
/// Longest answer.
const ANSWER_MAX: u32 = 16_384;
/// Most rows: with the longest prompts their blocks stay below `BLOCKS_MAX`.
const ROWS_MAX: usize = 300_000;

/// What kind of requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Workload {
    /// Conversations with long prompts, of which a good third repeats; they come in bursts.
    Chat,
    /// Coding agents, that send nearly the same long prompt again and again.
    Agents,
    /// Completions of code: short prompts, shorter answers, very bursty.
    ShortPrompts,
}

impl Workload {
    /// What people call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Agents => "agents",
            Self::ShortPrompts => "short-prompts",
        }
    }

    /// About as many rows as in an hour of the recording (of `Agents`: five minutes).
    pub const fn rows(self) -> usize {
        match self {
            Self::Chat => 12_000,
            Self::Agents => 3_600,
            Self::ShortPrompts => 8_800,
        }
    }
}

impl Trace {
    /// Draws a trace of the usual length.
    pub fn generate(workload: Workload, seed: u64) -> Self {
        Self::generate_rows(workload, workload.rows(), seed)
    }

    /// Draws a trace of so many rows, from 1 to 300,000. A longer one takes longer, its rate is the same.
    pub fn generate_rows(workload: Workload, rows: usize, seed: u64) -> Self {
        let mut rng = Chance::with_seed(seed);
        let mut draft = Draft::new(workload.name(), BLOCK_TOKENS);
        let rows = rows.clamp(1, ROWS_MAX);
        match workload {
            Workload::Chat => chat::draw(&mut draft, rows, &mut rng),
            Workload::Agents => agents::draw(&mut draft, rows, &mut rng),
            Workload::ShortPrompts => short::draw(&mut draft, rows, &mut rng),
        }
        finished(draft)
    }
}

fn finished(draft: Draft) -> Trace {
    draft.finish().expect("at least one row was drawn")
}

/// Adds a row that was drawn.
fn add(draft: &mut Draft, entry: Entry, blocks: &[u64]) {
    let added = draft.push(entry, blocks.iter().copied());
    added.expect("what is drawn is within the bounds: rows, blocks and turns are counted here");
}

/// Makes a chain of blocks as long as a prompt of so many tokens fills, with numbers never used before.
fn grow(chain: &mut Vec<u64>, tokens: u32, fresh: &mut std::ops::RangeFrom<u64>) {
    let full = (tokens / BLOCK_TOKENS) as usize;
    chain.extend(fresh.take(full.saturating_sub(chain.len())));
}

#[cfg(test)]
mod tests;
