//! Coding agents: the same long prompt, a little longer each time.
//!
//! After recorded sessions of Claude Code (github.com/callanjfox/kv-cache-tester): prompts of 72,359 tokens on average,
//! answers of 414 with a 99th percentile of 4,004, up to 80 turns a session and 41 on average; 96 % of prompt tokens stood
//! in the prompt before. A pause is a tool at work (seconds) or a person reading (a minute or two). Assumed: sixteen
//! tenants, each with a system prompt that all its sessions begin with, and that sessions start independently.

use std::{ops::RangeFrom, time::Duration};

use super::{
    ANSWER_MAX, BLOCK_TOKENS, PROMPT_MAX, add,
    draw::{LogNormal, exponential},
    grow,
};
use crate::{
    domain::time::Chance,
    sim::trace::{Arrival, Draft, draft::Entry},
};

const TENANTS: u32 = 16;
/// Blocks of a tenant's system prompt and descriptions of tools.
const SYSTEM_BLOCKS: u32 = 24;
const TURNS_MAX: u32 = 80;
/// Seconds between the starts of sessions.
const STARTS_APART: f64 = 3.44;
/// Share of pauses that are a person's.
const PEOPLE: f64 = 0.2;

/// A turn adds at most this part of the room that is left, as agents do that watch their window.
const ADDED_SHARE: u32 = 4;

/// The distributions of a session's parts.
struct Parts {
    /// What the user and the first files add to the system prompt.
    first: LogNormal,
    /// What a turn adds beside the answer: outputs of tools, mostly.
    added: LogNormal,
    answer: LogNormal,
    /// Seconds that a tool takes.
    tool: LogNormal,
}

pub(super) fn draw(draft: &mut Draft, rows: usize, rng: &mut Chance) {
    let parts = Parts {
        first: LogNormal::of(8_300.0, 45_000.0),
        added: LogNormal::of(2_400.0, 24_000.0),
        answer: LogNormal::of(414.0, 4_004.0),
        tool: LogNormal::of(8.0, 25.0),
    };
    let mut fresh: RangeFrom<u64> = u64::from(TENANTS * SYSTEM_BLOCKS)..;
    let (mut left, mut start) = (rows, Duration::ZERO);
    for number in 0.. {
        left -= session(number, start, left, &parts, (draft, &mut fresh, rng));
        if left == 0 {
            return;
        }
        start += exponential(STARTS_APART, rng);
    }
}

/// Draws a session of at most `left` rows, and says how many it has.
fn session(
    number: u32,
    start: Duration,
    left: usize,
    parts: &Parts,
    (draft, fresh, rng): (&mut Draft, &mut RangeFrom<u64>, &mut Chance),
) -> usize {
    let tenant = rng.u32(..TENANTS);
    let system = u64::from(tenant * SYSTEM_BLOCKS);
    let mut chain: Vec<_> = (system..system + u64::from(SYSTEM_BLOCKS)).collect();
    let mut arrival = Arrival::At(start);
    let mut input = SYSTEM_BLOCKS * BLOCK_TOKENS + parts.first.tokens(PROMPT_MAX / 2, rng);
    let turns = rng.u32(1..=TURNS_MAX);
    for turn in 0..turns {
        if turn as usize == left || input > PROMPT_MAX {
            return turn as usize;
        }
        let output = parts.answer.tokens(ANSWER_MAX, rng);
        grow(&mut chain, input, fresh);
        add(draft, Entry { arrival, tenant, session: number, turn, input, output }, &chain);
        input += output;
        let room = PROMPT_MAX.saturating_sub(input);
        input += parts.added.tokens((room / ADDED_SHARE).max(1), rng);
        arrival = Arrival::After { think: pause(parts.tool, rng) };
    }
    turns as usize
}

fn pause(tool: LogNormal, rng: &mut Chance) -> Duration {
    if rng.f64() < PEOPLE {
        return Duration::from_secs(rng.u64(60..=120));
    }
    Duration::from_secs_f64(tool.draw(rng))
}
