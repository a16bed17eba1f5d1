//! What does each candidate cost?
//!
//! A closed set of policies, each a plain function from a candidate to a cost; lower is better. How the costs become a
//! choice is the business of `pick`.

pub mod in_flight;
pub mod latency;
pub mod load;

use super::{
    Turn,
    filter::{Candidate, Filtered},
};
use crate::domain::{
    explanation::Score,
    policy::{Balance, Policy},
};
use load::Reading;

/// A candidate and what it scored.
#[derive(Debug, Clone, Copy)]
pub struct Scored<'a> {
    /// The candidate.
    pub candidate: Candidate<'a>,
    /// Its numbers.
    pub score: Score,
    /// Its queue per capacity, without the limit of 1 that its load has: which of two full queues is the fuller.
    pub pressure: f64,
}

/// Scores every candidate by the policy's balance.
pub fn score<'a>(filtered: &Filtered<'a>, policy: &Policy, turn: &mut Turn) -> Vec<Scored<'a>> {
    let candidates = &filtered.candidates;
    let read = |c: &Candidate<'a>| Reading::of(c.node, policy, filtered.rung, turn.now);
    let mut readings: Vec<_> = candidates.iter().map(read).collect();
    load::borrow(&mut readings, &mut turn.chance);
    let scored = |(candidate, reading): (&Candidate<'a>, &Reading)| Scored {
        candidate: *candidate,
        score: score_one(reading, policy),
        pressure: reading.pressure(),
    };
    candidates.iter().zip(&readings).map(scored).collect()
}

/// The policy that compares when this one is chosen.
pub fn used(balance: Balance) -> Balance {
    match balance {
        Balance::LeastInFlight
        | Balance::PowerOfTwo
        | Balance::RoundRobin
        | Balance::Random
        | Balance::PeakEwma => balance,
        _ => Balance::WeightedLoad,
    }
}

fn score_one(reading: &Reading, policy: &Policy) -> Score {
    let load = load::load(reading, &policy.load);
    let cost = match used(policy.balance) {
        Balance::LeastInFlight | Balance::PowerOfTwo => in_flight::cost(reading),
        Balance::RoundRobin => reading.counts.last_pick as f64,
        Balance::Random => 0.0,
        Balance::PeakEwma => latency::cost(reading),
        _ => load.total(),
    };
    Score {
        cost,
        load,
        queued: reading.queued(),
        in_flight: reading.counts.in_flight,
        slow_start: reading.slow_start,
    }
}
