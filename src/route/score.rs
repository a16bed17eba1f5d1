//! What does each candidate cost?
//!
//! A closed set of policies, each a plain function from a candidate to a cost; lower is better. How the costs become a
//! choice is the business of `pick`.

pub mod cost;
pub mod in_flight;
pub mod latency;
pub mod load;
pub mod peers;

use super::{
    Scene, Turn,
    filter::{Candidate, Filtered},
};
use crate::{
    domain::{
        decision::Rung,
        explanation::{CostTerms, Score},
        policy::{Balance, Policy},
        request::RouteRequest,
        time::Instant,
    },
    state::{demand::Seen, leases::Work},
};
use cost::Market;
use load::Reading;
use peers::Field;

/// A candidate and what it scored.
#[derive(Debug, Clone, Copy)]
pub struct Scored<'a> {
    /// The candidate.
    pub candidate: Candidate<'a>,
    /// Its numbers.
    pub score: Score,
    /// Its queue per capacity, without the limit of 1 that its load has: which of two full queues is the fuller.
    pub pressure: f64,
    /// Work that the request is on it.
    pub work: Work,
}

/// All candidates, scored.
#[derive(Debug)]
pub struct Scores<'a> {
    /// The policy that was used.
    pub balance: Balance,
    /// Each candidate, in order of their ids.
    pub scored: Vec<Scored<'a>>,
    /// What was seen of the pool on the way.
    pub seen: Seen,
    /// What all have in common.
    pub market: Market,
}

/// Scores every candidate by the policy's balance.
pub fn score<'a>(
    request: &RouteRequest,
    filtered: &Filtered<'a>,
    scene: Scene<'_>,
    turn: &mut Turn,
) -> Scores<'a> {
    let policy = scene.policy;
    let mut readings = filtered.readings.clone();
    if request.adapter.is_some() || filtered.rung == Rung::Frozen {
        reread(&mut readings, request, filtered, policy, turn.now);
    }
    load::borrow(&mut readings, &mut turn.chance);
    let balance = resolve(request, &readings, policy);
    let market = Market::of(request, &readings, scene, turn.now);
    let field = Field::of(request, &filtered.candidates, &readings, &market, balance);
    let scored = |(candidate, reading): (&Candidate<'a>, &Reading)| {
        let outlook = market.outlook(candidate, reading, &policy.cost);
        let load = load::load(reading, &policy.load);
        let cost = match balance {
            Balance::ExpectedCost => outlook.terms.total(),
            Balance::Auto | Balance::WeightedLoad => load.total(),
            Balance::LeastInFlight | Balance::PowerOfTwo => in_flight::cost(reading),
            Balance::RoundRobin => reading.counts.last_pick as f64,
            Balance::Random => 0.0,
            Balance::PeakEwma => latency::cost(reading),
            Balance::PrefixThenLoad => field.prefix_then_load(reading, &outlook),
            Balance::WeightedScorers => field.weighted_scorers(reading, &outlook),
            Balance::OverlapCost => field.overlap_cost(reading, &outlook),
            Balance::Hash => field.hash(candidate, reading),
        };
        let score = Score {
            cost,
            terms: (balance == Balance::ExpectedCost).then_some(outlook.terms),
            cached_tokens: (!request.prefix.is_empty()).then_some(outlook.cached_tokens),
            load,
            queued: reading.queued(),
            in_flight: reading.counts.in_flight,
            slow_start: reading.slow_start,
        };
        Scored { candidate: *candidate, score, pressure: reading.pressure(), work: outlook.work }
    };
    let scored: Vec<_> = filtered.candidates.iter().zip(&readings).map(scored).collect();
    let seen = Seen { busy: busy(&scored, policy), reuse: market.reuse(request), ..Seen::default() };
    Scores { balance, scored, seen, market }
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
        let vitals = candidate.node.live.vitals();
        let terms = (policy, filtered.rung);
        *reading = Reading::for_adapter(request.adapter.as_ref(), candidate.node, &vitals, terms, now);
    }
}

/// The policy that compares these candidates: where at least half of them tell enough of their engines, and the
/// request of its length, a cost in milliseconds can be told.
fn resolve(request: &RouteRequest, readings: &[Reading], policy: &Policy) -> Balance {
    if policy.balance != Balance::Auto {
        return policy.balance;
    }
    let is_sized = request.prompt_tokens.is_some() || !request.prefix.is_empty();
    let telling = readings.iter().filter(|reading| reading.tells_enough()).count();
    if is_sized && telling > 0 && 2 * telling >= readings.len() {
        return Balance::ExpectedCost;
    }
    Balance::WeightedLoad
}

fn busy(scored: &[Scored<'_>], policy: &Policy) -> Option<f64> {
    let terms: Vec<CostTerms> = scored.iter().filter_map(|scored| scored.score.terms).collect();
    (!terms.is_empty()).then(|| cost::busy(terms.iter(), &policy.cost))
}
