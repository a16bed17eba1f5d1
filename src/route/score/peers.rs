//! What would other routers choose?
//!
//! The rules of well-known ones in our terms, as baselines that can be compared and chosen: after their documentation,
//! with their defaults, not their programs. Each is a mode switch or a sum whose weights somebody must find; that is why
//! `expected_cost` is the default and these are not.

use super::cost::Market;
use crate::{
    domain::{digest::spread, policy::Balance, request::RouteRequest},
    route::filter::Candidate,
    state::nodes::reading::Reading,
};

/// A prefix counts as long from this share of the prompt on.
const LONG_PREFIX: f64 = 0.3;
/// One token of a prefix outweighs all requests that a node can have.
const PREFIX_FIRST: f64 = 1e9;
/// The fleet counts as uneven where the fullest node has so many requests more than the emptiest, and so many times as many.
const UNEVEN_DIFFERENCE: u32 = 64;
const UNEVEN_RATIO: f64 = 1.5;
/// Weights of prefix, queue and memory.
const PREFIX_WEIGHT: f64 = 3.0;
const QUEUE_WEIGHT: f64 = 2.0;
const MEMORY_WEIGHT: f64 = 2.0;
/// Weight of tokens to compute against tokens in use.
const OVERLAP_WEIGHT: f64 = 1.0;

/// How much more than its share of requests a node takes of those that hash to it, and how few are never too many.
const CROWD_RATIO: f64 = 1.25;
const CROWD_MIN: f64 = 8.0;
/// More than any hash.
const CROWDED: f64 = 1e16;

/// What the rules read of all candidates together.
#[derive(Debug, Clone, Copy, Default)]
pub struct Field {
    prompt_tokens: f64,
    shortest_queue: u32,
    longest_queue: u32,
    /// Whether some candidate holds a long prefix, and the fleet is even.
    by_prefix: bool,
    prefix_digest: u64,
    /// Requests from which on a node takes no more of those that hash to it.
    crowd: f64,
}

impl Field {
    /// Looks around once for all candidates; not at all for policies that do not read it.
    pub fn of(
        request: &RouteRequest,
        candidates: &[Candidate<'_>],
        market: &Market,
        balance: Balance,
    ) -> Self {
        let reads = [Balance::PrefixThenLoad, Balance::WeightedScorers, Balance::OverlapCost, Balance::Hash];
        if !reads.contains(&balance) {
            return Self::default();
        }
        let in_flight = || candidates.iter().map(|candidate| candidate.reading.counts.in_flight);
        let queues = || candidates.iter().map(|candidate| candidate.reading.told.waiting.unwrap_or(0));
        let (fewest, most) = (in_flight().min().unwrap_or(0), in_flight().max().unwrap_or(0));
        let is_uneven =
            most - fewest > UNEVEN_DIFFERENCE && f64::from(most) > UNEVEN_RATIO * f64::from(fewest);
        let reads_prefix = balance == Balance::PrefixThenLoad && !candidates.is_empty();
        let is_long = reads_prefix && market.reuse(request).is_some_and(|share| share > LONG_PREFIX);
        Self {
            prompt_tokens: f64::from(market.prompt_tokens()),
            shortest_queue: queues().min().unwrap_or(0),
            longest_queue: queues().max().unwrap_or(0),
            by_prefix: is_long && !is_uneven,
            prefix_digest: digest(request),
            crowd: crowd(candidates),
        }
    }

    /// The longest prefix where one is long and the fleet even, else the fewest requests: as the cache-aware policy of
    /// `SGLang`'s router. Requests count among equal prefixes too: the node with the long one may be none of these.
    pub fn prefix_then_load(&self, reading: &Reading, cached_tokens: u32) -> f64 {
        let prefix = if self.by_prefix { f64::from(cached_tokens) } else { 0.0 };
        f64::from(reading.counts.in_flight) - PREFIX_FIRST * prefix
    }

    /// `3 · prefix + 2 · queue + 2 · memory`, each from 0 to 1, the queue relative to the others': as the scorers of llm-d.
    pub fn weighted_scorers(&self, reading: &Reading, cached_tokens: u32) -> f64 {
        let prefix = f64::from(cached_tokens) / self.prompt_tokens;
        let span = f64::from(self.longest_queue - self.shortest_queue);
        let behind =
            f64::from(self.longest_queue - reading.told.waiting.unwrap_or(0).min(self.longest_queue));
        let queue = if span > 0.0 { behind / span } else { 1.0 };
        let memory = 1.0 - reading.kv_share();
        -(PREFIX_WEIGHT * prefix + QUEUE_WEIGHT * queue + MEMORY_WEIGHT * memory)
    }

    /// Tokens to compute, weighing as much as tokens in use: as Dynamo's router by default.
    pub fn overlap_cost(&self, reading: &Reading, cached_tokens: u32) -> f64 {
        let new = self.prompt_tokens - f64::from(cached_tokens);
        let computing = reading.outstanding.all + new;
        OVERLAP_WEIGHT * computing + reading.kv_active() + reading.outstanding.unreported + new
    }

    /// The node whose name and the prompt's beginning hash highest, of those that are not crowded: rendezvous hashing
    /// with bounded loads. Requests without a prefix fall anywhere, but always the same way.
    pub fn hash(&self, Candidate { node, reading, .. }: &Candidate<'_>) -> f64 {
        let mut state = self.prefix_digest;
        for byte in node.spec.id.as_str().bytes() {
            state = spread(state ^ u64::from(byte));
        }
        let crowded = if f64::from(reading.counts.in_flight) < self.crowd { 0.0 } else { CROWDED };
        crowded - ((state >> 11) as f64)
    }
}

/// A quarter more than its share of all requests, this one among them: a beginning that all have in common must not send
/// them all to one node (Mirrokni et al., "Consistent Hashing with Bounded Loads", 2018).
fn crowd(candidates: &[Candidate<'_>]) -> f64 {
    let all: f64 = candidates.iter().map(|candidate| f64::from(candidate.reading.counts.in_flight)).sum();
    (CROWD_RATIO * (all + 1.0) / candidates.len().max(1) as f64).ceil().max(CROWD_MIN)
}

/// Stands for the beginning of the prompt, or for the request.
fn digest(request: &RouteRequest) -> u64 {
    match request.prefix.first() {
        Some(block) => spread(block.get()),
        None => request.key.request.as_str().bytes().fold(0, |state, byte| spread(state ^ u64::from(byte))),
    }
}

#[cfg(test)]
mod tests;
