//! Completions of code, as in Azure's trace of 2023.
//!
//! Patel et al., "Splitwise: Efficient Generative LLM Inference Using Phase Splitting", ISCA '24;
//! `AzureLLMInferenceTrace_code.csv` in github.com/Azure/AzurePublicDataset. There: 8,819 requests in 3,436 s, gaps with
//! a coefficient of variation of 13, prompts of 2,048 tokens (at most 7,437), answers of 28. What prompts share is not
//! told, so there are no blocks. Who asked is not told either: eight tenants alike are an assumption.

use std::time::Duration;

use super::{
    ANSWER_MAX, add,
    draw::{Bursty, LogNormal},
};
use crate::{
    domain::time::Chance,
    sim::trace::{Arrival, Draft, draft::Entry},
};

const TENANTS: u32 = 8;
const PROMPT_MAX: u32 = 7_437;

pub(super) fn draw(draft: &mut Draft, rows: usize, rng: &mut Chance) {
    let gaps = Bursty::of(0.390, 13.0);
    let (prompts, answers) = (LogNormal::of(2_120.0, 8_900.0), LogNormal::of(28.0, 252.0));
    let mut now = Duration::ZERO;
    for session in (0..).take(rows) {
        let entry = Entry {
            arrival: Arrival::At(now),
            tenant: rng.u32(..TENANTS),
            session,
            turn: 0,
            input: prompts.tokens(PROMPT_MAX, rng),
            output: answers.tokens(ANSWER_MAX, rng),
        };
        add(draft, entry, &[]);
        now += gaps.draw(rng);
    }
}
