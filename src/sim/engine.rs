//! A model server under virtual time: continuous batching with chunked prefill over a paged key-value cache.
//!
//! Each step gives every decoding sequence one token, then chunks to the prompts that have begun, then begins waiting ones
//! in order while tokens of the step and memory last. Where a sequence cannot grow, the youngest is put back and computed
//! anew later. Steps that only decode are taken in one go, as many as nothing happens in; what arrives meanwhile cuts
//! them short at the end of a step.

mod decoding;
pub mod hardware;
mod job;
pub mod memory;
mod told;

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, VecDeque},
};

use super::clock::rounded;
use hardware::Hardware;
pub use job::{Done, Job};
use memory::{Held, Memory};
pub use told::Told;

/// Work of computing `tokens` after `context` that are there, relative to one token without any:
/// `m · (1 + κ · (h + m / 2))`.
pub fn work(tokens: f64, context: f64) -> f64 {
    tokens * (1.0 + KAPPA * (context + tokens / 2.0))
}

/// Share of a token's work that each token of its context adds.
pub const KAPPA: f64 = 1.8e-5;

/// Weight of the newest step in the speed that a node tells.
const SPEED_GAIN: f64 = 0.1;

/// One node.
#[derive(Debug)]
pub struct Engine {
    hardware: Hardware,
    block_tokens: u32,
    memory: Memory,
    /// Factor on every step's time.
    pub slow: f64,
    waiting: VecDeque<Sequence>,
    /// Prompts that have begun, in order.
    prefilling: Vec<Sequence>,
    decoding: Vec<Option<Sequence>>,
    vacant: Vec<usize>,
    /// Decoding sequences.
    decoders: usize,
    /// Tokens of their contexts.
    context: u64,
    /// Steps taken so far; what is due at which of them.
    steps: u64,
    due: BinaryHeap<Reverse<(u64, usize, u64)>>,
    admissions: u64,
    now: Option<Step>,
    /// Preemptions so far.
    pub preemptions: u64,
    speed: Option<f64>,
    /// By router.
    received: Vec<u64>,
    busy_us: u64,
    reported_us: u64,
    reported_at: u64,
    /// Prompt tokens computed so far, as work.
    pub computed: f64,
}

#[derive(Debug)]
struct Sequence {
    job: Job,
    /// Tokens to compute before the first (or, computed anew, the next) token comes.
    prompt: u32,
    computed: u32,
    cached: u32,
    produced: u32,
    held: Held,
    age: u64,
    /// Context and step at which decoding began.
    base: u32,
    joined: u64,
}

/// What is being computed.
#[derive(Debug, Clone, Copy)]
struct Step {
    begun: u64,
    ends: u64,
    count: u64,
    /// Milliseconds of the first one and what each further one takes more, where only decoding goes on.
    first_ms: f64,
    growth_ms: f64,
    prefills: bool,
    tokens: u32,
    prompt_budget: u32,
}

impl Engine {
    /// An idle node with an empty cache.
    pub fn new(hardware: Hardware, block_tokens: u32) -> Self {
        Self {
            memory: Memory::new(hardware.kv_tokens / block_tokens),
            hardware,
            block_tokens,
            slow: 1.0,
            waiting: VecDeque::new(),
            prefilling: Vec::new(),
            decoding: Vec::new(),
            vacant: Vec::new(),
            decoders: 0,
            context: 0,
            steps: 0,
            due: BinaryHeap::new(),
            admissions: 0,
            now: None,
            preemptions: 0,
            speed: None,
            received: Vec::new(),
            busy_us: 0,
            reported_us: 0,
            reported_at: 0,
            computed: 0.0,
        }
    }

    /// Tokens of a prompt that are in the cache now.
    pub fn cached_tokens(&self, blocks: &[u64], input: u32) -> u32 {
        let hit = u32::try_from(self.memory.overlap(blocks)).unwrap_or(u32::MAX);
        hit.saturating_mul(self.block_tokens).min(input - 1)
    }

    /// Whether a prompt of so many tokens can ever be computed here.
    pub fn fits(&self, input: u32) -> bool {
        input.div_ceil(self.block_tokens) <= self.hardware.kv_tokens / self.block_tokens
    }

    /// A request has come. Returns the moment at which the step under way ends now, if one is.
    pub fn submit(&mut self, job: Job, now: u64) -> Option<u64> {
        if self.received.len() <= job.router {
            self.received.resize(job.router + 1, 0);
        }
        self.received[job.router] = self.received[job.router].max(job.ticket);
        let prompt = job.input;
        self.waiting.push_back(Sequence {
            job,
            prompt,
            computed: 0,
            cached: 0,
            produced: 0,
            held: Held::default(),
            age: 0,
            base: 0,
            joined: 0,
        });
        self.interrupt(now)
    }

    /// Ends a run of steps at the first that ends now or later. Returns when that is, if a step is under way.
    pub fn interrupt(&mut self, now: u64) -> Option<u64> {
        let step = self.now.as_mut()?;
        if !step.prefills && step.count > 1 && step.ends > now {
            let elapsed = now.saturating_sub(step.begun);
            let (mut low, mut high) = (1, step.count);
            while low < high {
                let middle = low.midpoint(high);
                if step.lasts(middle) >= elapsed { high = middle } else { low = middle + 1 }
            }
            step.count = low;
            step.ends = step.begun + step.lasts(low);
        }
        Some(step.ends)
    }

    /// When the step under way ends, if one is.
    pub fn ends(&self) -> Option<u64> {
        self.now.map(|step| step.ends)
    }

    /// Begins the next step. Returns when it ends; `None` where there is nothing to do.
    pub fn begin(&mut self, now: u64) -> Option<u64> {
        debug_assert!(self.now.is_none(), "one step at a time");
        let decoders = u32::try_from(self.decoders).unwrap_or(u32::MAX);
        let prompt_budget = self.hardware.step_tokens().saturating_sub(decoders);
        let mut budget = prompt_budget;
        let mut attention = 0.0;
        let mut tokens = decoders;
        for index in 0..self.prefilling.len() {
            let sequence = &self.prefilling[index];
            let chunk = (sequence.prompt - sequence.computed).min(budget);
            attention += self.hardware.attention_ms(chunk, f64::from(sequence.computed));
            budget -= chunk;
            tokens += chunk;
        }
        while budget > 0 && self.decoders + self.prefilling.len() < self.hardware.sequences_max() {
            let Some(sequence) = self.admit() else { break };
            let chunk = (sequence.prompt - sequence.computed).min(budget);
            attention += self.hardware.attention_ms(chunk, f64::from(sequence.computed));
            budget -= chunk;
            tokens += chunk;
            self.prefilling.push(sequence);
        }
        if tokens == 0 {
            return None;
        }
        let sequences = self.decoders + self.prefilling.len();
        let reading = self.hardware.kv_read * self.context as f64;
        let first_ms = (self.hardware.step_ms(tokens, sequences) + attention + reading) * self.slow;
        let prefills = !self.prefilling.is_empty();
        let runs_on = !prefills && self.waiting.is_empty();
        let count = if runs_on { self.steps_until_due() } else { 1 };
        let growth_ms = self.hardware.kv_read * self.decoders as f64 * self.slow;
        let mut step =
            Step { begun: now, ends: 0, count, first_ms, growth_ms, prefills, tokens, prompt_budget };
        step.ends = now + step.lasts(count);
        self.now = Some(step);
        Some(step.ends)
    }

    /// The step under way has ended: says what came of it, in order.
    pub fn end(&mut self, done: &mut Vec<Done>) {
        let Some(step) = self.now.take() else { return };
        self.busy_us += step.ends - step.begun;
        self.steps += step.count;
        self.context += self.decoders as u64 * step.count;
        self.finish_due(done);
        if step.prefills {
            self.end_prefills(step, done);
        }
    }

    /// Share of the time until now spent computing, in microseconds.
    pub fn busy_us(&self, now: u64) -> u64 {
        self.busy_us + self.now.map_or(0, |step| now.min(step.ends).saturating_sub(step.begun))
    }

    /// The node is gone, with all that it held: returns the requests that it had.
    pub fn die(&mut self, now: u64) -> Vec<usize> {
        let busy_us = self.busy_us(now);
        let decoding = self.decoding.drain(..).flatten();
        let lost = self.waiting.drain(..).chain(self.prefilling.drain(..)).chain(decoding);
        let requests = lost.map(|sequence| sequence.job.request).collect();
        let (slow, hardware, received) = (self.slow, self.hardware, std::mem::take(&mut self.received));
        *self = Self {
            slow,
            received,
            preemptions: self.preemptions,
            busy_us,
            reported_us: busy_us,
            reported_at: self.reported_at,
            computed: self.computed,
            ..Self::new(hardware, self.block_tokens)
        };
        requests
    }

    /// The next waiting request, if there is one and room for it.
    fn admit(&mut self) -> Option<Sequence> {
        let sequence = self.waiting.front()?;
        let needs = sequence.prompt.div_ceil(self.block_tokens);
        let held = self.memory.admit(&sequence.job.blocks, needs)?;
        let mut sequence = self.waiting.pop_front()?;
        let hit = held.shared().saturating_mul(self.block_tokens).min(sequence.prompt - 1);
        self.admissions += 1;
        sequence.age = self.admissions;
        (sequence.computed, sequence.held) = (hit, held);
        if sequence.produced == 0 {
            sequence.cached = hit;
        }
        Some(sequence)
    }

    fn end_prefills(&mut self, step: Step, done: &mut Vec<Done>) {
        let mut budget = step.prompt_budget;
        let mut computed = 0.0;
        let mut first = Vec::new();
        let mut still = Vec::with_capacity(self.prefilling.len());
        for mut sequence in std::mem::take(&mut self.prefilling) {
            let chunk = (sequence.prompt - sequence.computed).min(budget);
            computed += work(f64::from(chunk), f64::from(sequence.computed));
            sequence.computed += chunk;
            budget -= chunk;
            let blocks = (sequence.computed / self.block_tokens) as usize;
            let blocks =
                if sequence.computed == sequence.prompt { sequence.job.blocks.len() } else { blocks };
            self.memory.publish(&mut sequence.held, &sequence.job.blocks, blocks);
            if sequence.computed == sequence.prompt { first.push(sequence) } else { still.push(sequence) }
        }
        self.prefilling = still;
        self.computed += computed;
        if step.tokens >= self.hardware.step_tokens() / 2 {
            let speed = computed / ((step.ends - step.begun) as f64 / 1000.0);
            self.speed = Some(self.speed.map_or(speed, |known| known + SPEED_GAIN * (speed - known)));
        }
        for sequence in first {
            self.first_token(sequence, done);
        }
    }
}

impl Step {
    /// Microseconds that so many steps take.
    fn lasts(&self, steps: u64) -> u64 {
        let steps = steps as f64;
        let ms = self.first_ms * steps + self.growth_ms * steps * (steps - 1.0) / 2.0;
        // At least a microsecond, so that time goes on.
        rounded(ms * 1000.0).max(1)
    }
}

#[cfg(test)]
mod tests;
