//! Conversations, as in Mooncake's trace.
//!
//! Qin et al., "Mooncake: A KVCache-centric Disaggregated Architecture for LLM Serving", FAST '25; its
//! `conversation_trace.jsonl` in github.com/kvcache-ai/Mooncake. There: 12,031 requests in 3,537 s, gaps with a coefficient
//! of variation of 3.0, prompts of 12,035 tokens with a 99th percentile of 85,401, answers of 343 with one of 1,120; 37 % of
//! prompt tokens stood before in another prompt, and nearly all prompts begin with the same block.
//!
//! Lengths come first, so that they are as published; then a prompt is made to continue a conversation that is
//! shorter than it. Assumed: eight tenants, each with a system prompt of one block, and how long people think.

use std::{collections::VecDeque, ops::RangeFrom, time::Duration};

use super::{
    ANSWER_MAX, BLOCK_TOKENS, PROMPT_MAX, add,
    draw::{Bursty, LogNormal},
    grow,
};
use crate::{
    domain::time::Chance,
    sim::trace::{Arrival, Draft, draft::Entry},
};

const TENANTS: u32 = 8;
/// Share of prompts that look for a conversation to continue; chosen so that 37 % of the tokens repeat.
const FOLLOWS: f64 = 0.68;
/// At how many conversations such a prompt looks. It continues the longest that fits.
const LOOKS: usize = 6;
/// Conversations that may still go on; older ones are over.
const OPEN_MAX: usize = 600;
/// Nobody answers sooner.
const THINK: Duration = Duration::from_secs(10);

/// A conversation that may go on.
struct Talk {
    entry: Entry,
    chain: Vec<u64>,
    ready: Duration,
}

impl Talk {
    /// Tokens of the next prompt, before anything is added.
    fn tokens(&self) -> u32 {
        self.entry.input + self.entry.output
    }
}

pub(super) fn draw(draft: &mut Draft, rows: usize, rng: &mut Chance) {
    let gaps = Bursty::of(0.294, 3.0);
    let (prompts, answers) = (LogNormal::of(12_250.0, 85_400.0), LogNormal::of(343.0, 1_120.0));
    let mut talks = VecDeque::with_capacity(OPEN_MAX + 1);
    let mut fresh: RangeFrom<u64> = u64::from(TENANTS)..;
    let mut sessions = 0..;
    let mut now = Duration::ZERO;
    for _ in 0..rows {
        let (input, output) = (prompts.tokens(PROMPT_MAX, rng), answers.tokens(ANSWER_MAX, rng));
        let continued = if rng.f64() < FOLLOWS { longest(&mut talks, input, now, rng) } else { None };
        let mut talk = continued.unwrap_or_else(|| begin(sessions.next().unwrap_or_default(), rng));
        grow(&mut talk.chain, input, &mut fresh);
        talk.entry = Entry { arrival: Arrival::At(now), input, output, ..talk.entry };
        talk.ready = now + THINK;
        let full = talk.chain.len().min((input / BLOCK_TOKENS) as usize);
        add(draft, talk.entry, &talk.chain[..full]);
        talk.entry.turn += 1;
        talks.push_back(talk);
        if talks.len() > OPEN_MAX {
            talks.pop_front();
        }
        now += gaps.draw(rng);
    }
}

fn begin(session: u32, rng: &mut Chance) -> Talk {
    let tenant = rng.u32(..TENANTS);
    let entry = Entry { arrival: Arrival::At(Duration::ZERO), tenant, session, turn: 0, input: 0, output: 0 };
    // The tenant's own block, which its prompts begin with.
    Talk { entry, chain: vec![u64::from(tenant)], ready: Duration::ZERO }
}

/// Takes out the longest of some conversations that a prompt of so many tokens can continue.
fn longest(talks: &mut VecDeque<Talk>, input: u32, now: Duration, rng: &mut Chance) -> Option<Talk> {
    if talks.is_empty() {
        return None;
    }
    let looked = (0..LOOKS).map(|_| rng.usize(..talks.len()));
    let fits = looked.filter(|at| talks[*at].ready <= now && talks[*at].tokens() < input);
    let at = fits.max_by_key(|at| talks[*at].tokens())?;
    talks.remove(at)
}
