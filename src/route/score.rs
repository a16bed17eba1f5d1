//! What does each candidate cost?
//!
//! A closed set of policies, each a plain function from a candidate to a cost; lower is better. How the costs become a
//! choice is the business of `pick`.

mod bound;
pub mod cost;
pub mod in_flight;
pub mod latency;
pub mod load;
pub mod peers;

use std::{mem, sync::Arc};

use super::{
    Scene, Turn,
    filter::{Candidate, Filtered},
    shortlist::{Rest, Searched},
};
use crate::{
    domain::{
        decision::Rung,
        explanation::{CostTerms, Score},
        policy::{Balance, Policy},
        request::RouteRequest,
        time::{Chance, Instant},
    },
    state::{
        demand::Seen,
        leases::Work,
        nodes::{
            flight::Trial,
            node::Node,
            reading::Reading,
            standing::{self, Speeds, Standing},
        },
    },
};
use cost::{Market, Outlook};
use peers::Field;

/// What a candidate costs, in as few words as all of them can be compared by.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bid {
    /// Its place among the candidates.
    pub place: usize,
    /// Lower is better.
    pub cost: f64,
    /// Its queue per capacity, without the limit of 1 that its load has: which of two full queues is the fuller.
    pub pressure: f64,
    /// Breaks ties.
    pub draw: u64,
}

/// A candidate and what it scored.
#[derive(Debug, Clone, Copy)]
pub struct Scored<'a> {
    /// The node.
    pub node: &'a Arc<Node>,
    /// Its place in the topology.
    pub index: usize,
    /// Whether picking it would try a half-open breaker.
    pub trial: Trial,
    /// Its numbers.
    pub score: Score,
    /// Work that the request is on it.
    pub work: Work,
    /// Blocks that its cache holds.
    pub cache_blocks: u32,
}

/// All candidates, scored; in full those for which somebody asks.
#[derive(Debug)]
pub struct Scores<'a, 'f> {
    /// The policy that was used.
    pub balance: Balance,
    /// What was seen of the pool on the way.
    pub seen: Seen,
    /// What all have in common.
    pub market: &'f Market,
    request: &'f RouteRequest,
    policy: &'f Policy,
    candidates: Vec<Candidate<'a>>,
    /// What each costs, where the policy reckons that.
    outlooks: Vec<Outlook>,
    field: Field,
    /// What is known of those that are no candidates for being dear.
    rest: Option<Rest>,
    now: Instant,
}

/// Prepares to score every candidate by the policy's balance; takes them out of what was filtered. `searched` is what the
/// board has told where not all nodes are candidates; else the speeds of the market become those of the candidates.
pub fn score<'a, 'f>(
    request: &'f RouteRequest,
    filtered: &mut Filtered<'a>,
    searched: Option<Searched>,
    market: &'f mut Market,
    scene: Scene<'f>,
    turn: &mut Turn,
) -> Scores<'a, 'f> {
    let policy = scene.policy;
    let mut candidates = mem::take(&mut filtered.candidates);
    if request.adapter.is_some() || filtered.rung == Rung::Frozen {
        reread(&mut candidates, request, filtered.rung, policy, turn.now);
    }
    let (balance, standings, rest) = if let Some(Searched { standings, rest }) = searched {
        (Balance::ExpectedCost, Some(standings), Some(rest))
    } else {
        load::borrow(&mut candidates, &mut turn.chance);
        let telling = candidates.iter().filter(|candidate| candidate.reading.tells_enough).count();
        // Where none is live, the candidates are those whose ill health is forgiven.
        let forgiven = || Speeds::of(candidates.iter().map(|candidate| candidate.reading.speed));
        market.speeds = if filtered.rung == Rung::Normal { filtered.speeds } else { forgiven() };
        (resolve(request, telling, candidates.len(), policy), None, None)
    };
    let outlooks =
        if balance == Balance::ExpectedCost { outlooks(&candidates, standings, market) } else { Vec::new() };
    let field = Field::of(request, &candidates, market, balance);
    let waits = outlooks.iter().map(|outlook| outlook.terms.wait);
    let of_all = || standing::busy(waits, market.busy_wait_ms());
    let busy = rest.map_or_else(of_all, |rest| rest.busy);
    let seen = Seen { reuse: market.reuse(request), busy, ..Seen::default() };
    let now = turn.now;
    Scores { balance, seen, market, request, policy, candidates, outlooks, field, rest, now }
}

impl<'a> Scores<'a, '_> {
    /// Every candidate's bid, in order of their ids.
    pub fn bids(&self, chance: &mut Chance) -> Vec<Bid> {
        let bid = |place| {
            let (cost, pressure) = (self.cost(place), self.candidates[place].reading.pressure());
            Bid { place, cost, pressure, draw: chance.u64(..) }
        };
        (0..self.candidates.len()).map(bid).collect()
    }

    /// Whether no candidate has room in its queue, nor any other node.
    pub fn is_full(&self, bids: &[Bid]) -> bool {
        self.rest.map_or_else(|| bids.iter().all(|bid| bid.pressure >= 1.0), |rest| rest.is_full)
    }

    /// The candidate that bids so.
    pub fn candidate(&self, bid: &Bid) -> &Candidate<'a> {
        &self.candidates[bid.place]
    }

    /// What a candidate scored.
    pub fn scored(&self, bid: &Bid) -> Scored<'a> {
        let Candidate { node, index, trial, ref reading, .. } = self.candidates[bid.place];
        let Outlook { terms, work, cached_tokens } = self.outlook(bid.place);
        let score = Score {
            cost: bid.cost,
            terms: (self.balance == Balance::ExpectedCost).then_some(terms),
            cached_tokens: (!self.request.prefix.is_empty()).then_some(cached_tokens),
            load: reading.load(&self.policy.load),
            queued: reading.queued(),
            in_flight: reading.counts.in_flight,
            slow_start: reading.slow_start,
        };
        Scored { node, index, trial, score, work, cache_blocks: reading.cache_blocks }
    }

    /// What the cost of each candidate is made of; `None` where the policy does not reckon it.
    pub fn terms(&self) -> impl Iterator<Item = Option<CostTerms>> {
        let reckoned = self.balance == Balance::ExpectedCost;
        (0..self.candidates.len()).map(move |place| reckoned.then(|| self.outlook(place).terms))
    }

    fn cost(&self, place: usize) -> f64 {
        let candidate = &self.candidates[place];
        let Candidate { reading, .. } = candidate;
        let cached = || self.market.cached(reading);
        match self.balance {
            Balance::ExpectedCost => self.outlooks[place].terms.total(),
            Balance::Auto | Balance::WeightedLoad => reading.load(&self.policy.load).total(),
            Balance::LeastInFlight | Balance::PowerOfTwo => in_flight::cost(reading),
            Balance::RoundRobin => reading.counts.last_pick as f64,
            Balance::Random => 0.0,
            Balance::PeakEwma => latency::cost(reading, self.now),
            Balance::PrefixThenLoad => self.field.prefix_then_load(reading, cached()),
            Balance::WeightedScorers => self.field.weighted_scorers(reading, cached()),
            Balance::OverlapCost => self.field.overlap_cost(reading, cached()),
            Balance::Hash => self.field.hash(candidate),
        }
    }

    fn outlook(&self, place: usize) -> Outlook {
        let reckoned = || outlook(&self.candidates[place], self.market);
        self.outlooks.get(place).copied().unwrap_or_else(reckoned)
    }
}

fn outlooks(candidates: &[Candidate<'_>], standings: Option<Vec<Standing>>, market: &Market) -> Vec<Outlook> {
    let Some(standings) = standings else {
        return candidates.iter().map(|candidate| outlook(candidate, market)).collect();
    };
    let standing = candidates.iter().zip(&standings);
    standing.map(|(Candidate { reading, .. }, standing)| market.outlook(reading, standing)).collect()
}

fn outlook(candidate: &Candidate<'_>, market: &Market) -> Outlook {
    market.outlook(&candidate.reading, &market.standing(candidate))
}

/// Reads what only such a request wants to know: whether an adapter is loaded, or reports that hold no longer.
fn reread(
    candidates: &mut [Candidate<'_>],
    request: &RouteRequest,
    rung: Rung,
    policy: &Policy,
    now: Instant,
) {
    for Candidate { node, reading, .. } in candidates {
        *reading = Reading::for_adapter(request.adapter.as_ref(), node, policy, rung, now);
    }
}

/// The policy that compares the candidates: where at least half of them tell enough of their engines, and the
/// request of its length, a cost in milliseconds can be told.
pub(super) fn resolve(request: &RouteRequest, telling: usize, candidates: usize, policy: &Policy) -> Balance {
    if policy.balance != Balance::Auto {
        return policy.balance;
    }
    let is_sized = request.prompt_tokens.is_some() || !request.prefix.is_empty();
    if is_sized && telling > 0 && 2 * telling >= candidates {
        return Balance::ExpectedCost;
    }
    Balance::WeightedLoad
}
