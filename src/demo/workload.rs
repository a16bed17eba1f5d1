//! What do the users send, and when?
//!
//! Arrivals come in bursts: a calm and a busy state, each with its own Poisson rate, that last for a random while. Prompts
//! and answers have long tails (log-normal), as real ones have. A third of the users pays.

use std::time::Duration;

use crate::domain::{node::RequestType, request::Tier, time::Chance};

/// Requests per second, calm and busy.
const RATES: [f64; 2] = [24.0, 66.0];
/// Mean length of a state, calm and busy.
const STATE_SECONDS: [f64; 2] = [3.0, 1.0];
/// Share of premium users.
const PREMIUM: f64 = 0.3;
/// Shares of images and transcriptions; the rest is text.
const IMAGES: f64 = 0.10;
const TRANSCRIPTIONS: f64 = 0.10;
/// Median and spread (of the logarithm) of prompts and answers, in tokens.
const PROMPT: (f64, f64) = (250.0, 0.9);
const ANSWER: (f64, f64) = (20.0, 0.6);
/// Beyond these nothing is sent.
const PROMPT_MAX: f64 = 4_000.0;
const ANSWER_MAX: f64 = 120.0;

/// One request.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Arrival {
    /// When it comes, from the start.
    pub(super) at: Duration,
    /// What it asks for.
    pub(super) kind: RequestType,
    /// Who asks.
    pub(super) tier: Tier,
    /// Length of the prompt, in tokens.
    pub(super) prompt_tokens: u32,
    /// Length of the answer, in tokens.
    pub(super) answer_tokens: u32,
}

/// An endless stream of requests.
#[derive(Debug)]
pub(super) struct Workload {
    chance: Chance,
    at: f64,
    state: usize,
    state_ends: f64,
}

impl Workload {
    /// The stream of this seed.
    pub(super) fn new(seed: u64) -> Self {
        let mut chance = Chance::with_seed(seed);
        let state_ends = exponential(&mut chance, STATE_SECONDS[0]);
        Self { chance, at: 0.0, state: 0, state_ends }
    }

    /// What comes within this time.
    pub(super) fn until(self, end: Duration) -> impl Iterator<Item = Arrival> {
        self.take_while(move |arrival| arrival.at < end)
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to a count")]
    fn tokens(&mut self, (median, spread): (f64, f64), max: f64) -> u32 {
        let tokens = median * (spread * normal(&mut self.chance)).exp();
        tokens.clamp(1.0, max) as u32
    }

    fn kind(&mut self) -> RequestType {
        match self.chance.f64() {
            share if share < IMAGES => RequestType::Image,
            share if share < IMAGES + TRANSCRIPTIONS => RequestType::Audio,
            _ => RequestType::Text,
        }
    }
}

impl Iterator for Workload {
    type Item = Arrival;

    fn next(&mut self) -> Option<Arrival> {
        // A Poisson process has no memory: where the state ends, the gap is drawn anew at the other rate.
        loop {
            let next = self.at + exponential(&mut self.chance, 1.0 / RATES[self.state]);
            if next < self.state_ends {
                self.at = next;
                break;
            }
            self.at = self.state_ends;
            self.state = 1 - self.state;
            self.state_ends += exponential(&mut self.chance, STATE_SECONDS[self.state]);
        }
        Some(Arrival {
            at: Duration::from_secs_f64(self.at),
            kind: self.kind(),
            tier: if self.chance.f64() < PREMIUM { Tier::Premium } else { Tier::Free },
            prompt_tokens: self.tokens(PROMPT, PROMPT_MAX),
            answer_tokens: self.tokens(ANSWER, ANSWER_MAX),
        })
    }
}

fn exponential(chance: &mut Chance, mean: f64) -> f64 {
    -mean * (1.0 - chance.f64()).ln()
}

/// Box and Muller's transform.
fn normal(chance: &mut Chance) -> f64 {
    let radius = (-2.0 * (1.0 - chance.f64()).ln()).sqrt();
    radius * (std::f64::consts::TAU * chance.f64()).cos()
}

#[cfg(test)]
mod tests;
