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
    /// The candidate.
    pub candidate: Candidate<'a>,
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
    pub market: Market,
    request: &'f RouteRequest,
    policy: &'f Policy,
    candidates: &'f [Candidate<'a>],
    readings: Vec<Reading>,
    /// What each costs, where the policy reckons that.
    outlooks: Vec<Outlook>,
    field: Field,
    /// What is known of those that are no candidates for being dear.
    rest: Option<Rest>,
    now: Instant,
}

/// Prepares to score every candidate by the policy's balance, of each of which there is a reading. `searched` is what the
/// board has told where not all nodes are candidates.
pub fn score<'a, 'f>(
    request: &'f RouteRequest,
    filtered: &'f Filtered<'a>,
    mut readings: Vec<Reading>,
    searched: Option<Searched>,
    scene: Scene<'f>,
    turn: &mut Turn,
) -> Scores<'a, 'f> {
    let policy = scene.policy;
    if request.adapter.is_some() || filtered.rung == Rung::Frozen {
        reread(&mut readings, request, filtered, policy, turn.now);
    }
    let (balance, market, standings, rest) = if let Some(Searched { market, standings, rest }) = searched {
        (Balance::ExpectedCost, market, Some(standings), Some(rest))
    } else {
        load::borrow(&mut readings, &mut turn.chance);
        let telling = readings.iter().filter(|reading| reading.tells_enough).count();
        // Where none is live, the candidates are those whose ill health is forgiven.
        let forgiven = || Speeds::of(readings.iter().map(|reading| reading.speed));
        let speeds = if filtered.rung == Rung::Normal { filtered.speeds } else { forgiven() };
        let balance = resolve(request, telling, readings.len(), policy);
        (balance, Market::of(request, speeds, scene, turn.now), None, None)
    };
    let outlooks = if balance == Balance::ExpectedCost {
        outlooks(&filtered.candidates, &readings, standings, &market)
    } else {
        Vec::new()
    };
    let field = Field::of(request, &filtered.candidates, &readings, &market, balance);
    let waits = outlooks.iter().map(|outlook| outlook.terms.wait);
    let of_all = || standing::busy(waits, market.busy_wait_ms());
    let busy = rest.map_or_else(of_all, |rest| rest.busy);
    let seen = Seen { reuse: market.reuse(request), busy, ..Seen::default() };
    let candidates = &filtered.candidates;
    let now = turn.now;
    Scores { balance, seen, market, request, policy, candidates, readings, outlooks, field, rest, now }
}

impl<'a> Scores<'a, '_> {
    /// Every candidate's bid, in order of their ids.
    pub fn bids(&self, chance: &mut Chance) -> Vec<Bid> {
        let bid = |place| {
            let (cost, pressure) = (self.cost(place), self.readings[place].pressure());
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
        let (candidate, reading) = (self.candidates[bid.place], &self.readings[bid.place]);
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
        Scored { candidate, score, work, cache_blocks: reading.cache_blocks }
    }

    /// What the cost of each candidate is made of; `None` where the policy does not reckon it.
    pub fn terms(&self) -> impl Iterator<Item = Option<CostTerms>> {
        let reckoned = self.balance == Balance::ExpectedCost;
        (0..self.candidates.len()).map(move |place| reckoned.then(|| self.outlook(place).terms))
    }

    fn cost(&self, place: usize) -> f64 {
        let (candidate, reading) = (&self.candidates[place], &self.readings[place]);
        let cached = || self.market.cached(reading);
        match self.balance {
            Balance::ExpectedCost => self.outlook(place).terms.total(),
            Balance::Auto | Balance::WeightedLoad => reading.load(&self.policy.load).total(),
            Balance::LeastInFlight | Balance::PowerOfTwo => in_flight::cost(reading),
            Balance::RoundRobin => reading.counts.last_pick as f64,
            Balance::Random => 0.0,
            Balance::PeakEwma => latency::cost(reading, self.now),
            Balance::PrefixThenLoad => self.field.prefix_then_load(reading, cached()),
            Balance::WeightedScorers => self.field.weighted_scorers(reading, cached()),
            Balance::OverlapCost => self.field.overlap_cost(reading, cached()),
            Balance::Hash => self.field.hash(candidate, reading),
        }
    }

    fn outlook(&self, place: usize) -> Outlook {
        let reckoned = || outlook(&self.candidates[place], &self.readings[place], &self.market);
        self.outlooks.get(place).copied().unwrap_or_else(reckoned)
    }
}

fn outlooks(
    candidates: &[Candidate<'_>],
    readings: &[Reading],
    standings: Option<Vec<Standing>>,
    market: &Market,
) -> Vec<Outlook> {
    let Some(standings) = standings else {
        return candidates.iter().zip(readings).map(|(c, reading)| outlook(c, reading, market)).collect();
    };
    readings.iter().zip(&standings).map(|(reading, standing)| market.outlook(reading, standing)).collect()
}

fn outlook(candidate: &Candidate<'_>, reading: &Reading, market: &Market) -> Outlook {
    market.outlook(reading, &market.standing(candidate, reading))
}

/// Reads what only such a request wants to know: whether an adapter is loaded, or reports that hold no longer.
fn reread(
    readings: &mut [Reading],
    request: &RouteRequest,
    filtered: &Filtered<'_>,
    policy: &Policy,
    now: Instant,
) {
    for (reading, candidate) in readings.iter_mut().zip(&filtered.candidates) {
        *reading = Reading::for_adapter(request.adapter.as_ref(), candidate.node, policy, filtered.rung, now);
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
