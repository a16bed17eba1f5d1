//! How much of somebody's waiting does a request cost on a node?
//!
//! `cost = wait + P · own + batching · D · own' + drag + eviction · reuse³ · renew · fill³ + adapter + lateness · late`,
//! in milliseconds.
//!
//! | term | is |
//! |---|---|
//! | `wait` | work before the request, by the last report rolled forward and our picks since, at the node's speed |
//! | `own` | the prompt's work that the node does not hold, at the node's speed |
//! | `P` | price of work: `1 / (1 - ρ)`, up to a maximum; `ρ` is how busy the pool is. On an idle fleet the earliest first token wins, on a busy one the least work |
//! | `D · own'` | sequences that write their answers there, each held up by this prompt; `own'` is bounded, for the longest prompts hold up few |
//! | `drag` | what their contexts cost the request's own answer |
//! | `renew` | the same work on a node of mean speed: what it takes to bring back what this prompt pushes out |
//! | `fill` | share of the node's cache that is likely to be wanted again, with this prompt in it |
//! | `reuse` | share of prompts that is found in a cache |
//! | `adapter` | loading the adapter, where the node does not have it |
//! | `late` | milliseconds past the time in which the first token is wanted, after a leap at the first |
//!
//! The frame (wait, price, batching, drag) is the reference's `blend`. Its price of eviction looked at the next victim; this
//! one looks at how full the node is with what is wanted, so that sessions are spread *before* they push each other
//! out, and it is the same on a fast node and a slow one, for what is lost is lost to all.

use super::load::Reading;
use crate::{
    domain::{
        explanation::CostTerms,
        policy::{CostPolicy, Learning},
        prefix::PrefixPolicy,
        request::RouteRequest,
        time::Instant,
        work::work,
    },
    route::{Scene, filter::Candidate},
    state::{
        demand::Figures,
        leases::Work,
        nodes::prefixes::{Occupancy, Overlaps, Wanted},
    },
};

/// Length that a prompt is taken to have if nobody says.
const PROMPT_TOKENS: u32 = 1000;
/// Work a millisecond of a node of weight 1 while nothing is known of any.
const SPEED: f64 = 10.0;
/// Work of reading one token of context while another sequence writes a token.
const READ_WORK: f64 = 6e-4;
/// Where the work that holds up other sequences, and that which is lost to eviction, cease to count in full, in ms.
const HOLD_UP_MS: f64 = 2000.0;
const RENEW_MS: f64 = 10_000.0;
/// What being late at all costs, in ms.
const LATE_MS: f64 = 100_000.0;
/// Ratio of two neighbouring grades of a speed that is learned.
const GRADE: f64 = 1.15;
/// The same of its ratio to the one that the node tells, which is exact where it is right.
const DOUBT_GRADE: f64 = 2.5;
/// Speeds that differ from the mean by no more than this share are the mean.
const SAME_SPEED: f64 = 0.01;
/// How much of its speed a node loses whose requests all fail.
const FAILURE_SHARE: f64 = 0.9;

/// What all candidates of a pick have in common.
#[derive(Debug)]
pub struct Market {
    figures: Figures,
    overlaps: Overlaps,
    prompt_tokens: u32,
    block_tokens: u32,
    /// Speed of nodes whose own is not known: the least known one.
    least_speed: f64,
    mean_speed: f64,
    target_ms: f64,
    price: f64,
    wanted: Wanted,
    now: Instant,
}

/// What a candidate costs, and what it will be charged.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outlook {
    /// The terms.
    pub terms: CostTerms,
    /// Work that it takes.
    pub work: Work,
    /// Tokens of the prompt that the node is expected to hold.
    pub cached_tokens: u32,
}

impl Market {
    /// Looks around once for all candidates.
    pub fn of(request: &RouteRequest, readings: &[Reading], scene: Scene<'_>, now: Instant) -> Self {
        let policy = scene.policy;
        let figures = scene.state.demand.get(&request.pool());
        let known = readings.iter().filter_map(|reading| reading.speed);
        let least_speed = known.reduce(f64::min).unwrap_or(SPEED);
        let sum: f64 = readings.iter().map(|reading| reading.speed.unwrap_or(least_speed)).sum();
        Self {
            overlaps: scene.state.nodes.prefixes.overlaps(&request.prefix),
            prompt_tokens: prompt_tokens(request, &policy.prefixes),
            block_tokens: policy.prefixes.block_tokens.get(),
            least_speed,
            mean_speed: sum / readings.len().max(1) as f64,
            target_ms: millis(request.first_token_target(&policy.tiers)),
            price: (1.0 / (1.0 - figures.busy).max(f64::EPSILON)).clamp(1.0, policy.cost.price_max),
            wanted: Wanted::within(figures.pause(), now),
            figures,
            now,
        }
    }

    /// What the request costs on one candidate.
    pub fn outlook(&self, candidate: &Candidate<'_>, reading: &Reading, weights: &CostPolicy) -> Outlook {
        let health = (1.0 - FAILURE_SHARE * reading.failure_ratio) * reading.slow_start;
        let speed = self.speed(reading) * health;
        let occupancy = candidate.node.live.occupancy.as_deref();
        let depth = occupancy.map_or(0, |occupancy| self.overlaps.depth(occupancy));
        let cached = self.tokens_of(depth);
        let tokens = self.prompt_tokens - cached;
        let work = work(tokens, cached);
        let ahead = reading.work_ahead(speed, self.now);
        let (wait, own) = (ahead / speed, work / speed);
        let renew = bounded(work / self.mean_speed, RENEW_MS);
        let fill = occupancy.map_or(0.0, |occupancy| self.fill(occupancy, tokens, reading));
        let terms = CostTerms {
            wait,
            own,
            price: (self.price - 1.0) * own,
            batching: weights.batching * f64::from(reading.decoding()) * bounded(own, HOLD_UP_MS),
            drag: weights.drag * self.figures.output_tokens * READ_WORK * reading.kv_active() / speed,
            eviction: weights.eviction * self.figures.reuse.powi(3) * renew * fill.powi(3),
            adapter: if reading.lacks_adapter() { millis(weights.adapter_load) } else { 0.0 },
            lateness: lateness((wait + own - self.target_ms).max(0.0), weights),
        };
        Outlook {
            terms,
            work: Work { own: work, ahead: ahead + work, expected_blocks: depth },
            cached_tokens: cached,
        }
    }

    /// Tokens of the prompt that a candidate is expected to hold.
    pub fn cached(&self, candidate: &Candidate<'_>) -> u32 {
        let occupancy = candidate.node.live.occupancy.as_deref();
        self.tokens_of(occupancy.map_or(0, |occupancy| self.overlaps.depth(occupancy)))
    }

    /// The last token is computed in any case.
    fn tokens_of(&self, blocks: u32) -> u32 {
        blocks.saturating_mul(self.block_tokens).min(self.prompt_tokens.saturating_sub(1))
    }

    /// Equal nodes never tell quite the same, and the one that seems the quickest by a hair would get all.
    fn speed(&self, reading: &Reading) -> f64 {
        let own = reading.speed.unwrap_or(self.least_speed);
        let is_usual = (own - self.mean_speed).abs() <= SAME_SPEED * self.mean_speed;
        if is_usual { self.mean_speed } else { own }
    }

    /// Share of the prompt that the node with most of it holds; `None` where the request does not tell its prefix.
    pub fn reuse(&self, request: &RouteRequest) -> Option<f64> {
        let blocks = request.prefix.len();
        (blocks > 0).then(|| f64::from(self.overlaps.deepest()) / blocks as f64)
    }

    /// Length of the prompt.
    pub fn prompt_tokens(&self) -> u32 {
        self.prompt_tokens
    }

    /// Share of requests that were refused lately for being late.
    pub fn refused(&self) -> f64 {
        self.figures.refused
    }

    /// How busy the pool has been.
    pub fn busy(&self) -> f64 {
        self.figures.busy
    }

    /// Time in which the first token is wanted, in ms.
    pub fn target_ms(&self) -> f64 {
        self.target_ms
    }

    fn fill(&self, occupancy: &Occupancy, tokens: u32, reading: &Reading) -> f64 {
        let capacity = reading.cache_blocks.max(1);
        let needs = tokens.div_ceil(self.block_tokens);
        (occupancy.lively(&self.wanted) + f64::from(needs)) / f64::from(capacity)
    }
}

/// How busy candidates are, from 0 to 1: those with much before them count in full.
#[derive(Debug, Clone, Copy, Default)]
pub struct Busy {
    sum: f64,
    count: usize,
}

impl Busy {
    /// Takes in the wait of one, in ms.
    pub fn add(&mut self, wait: f64, policy: &CostPolicy) {
        self.sum += (wait / millis(policy.busy_wait).max(f64::EPSILON)).min(1.0);
        self.count += 1;
    }

    /// The mean; `None` of none.
    pub fn get(self) -> Option<f64> {
        (self.count > 0).then(|| self.sum / self.count as f64)
    }
}

/// Length of the prompt, as far as it is told.
pub fn prompt_tokens(request: &RouteRequest, policy: &PrefixPolicy) -> u32 {
    let blocks = u32::try_from(request.prefix.len()).unwrap_or(u32::MAX);
    let at_least = blocks.saturating_mul(policy.block_tokens.get());
    request.prompt_tokens.unwrap_or(if at_least > 0 { at_least } else { PROMPT_TOKENS }).max(1)
}

/// Work a millisecond: as the node tells unless its outcomes say something quite different, else as learned from these.
pub(super) fn speed(learned: Option<f64>, told: Option<f64>, policy: &CostPolicy) -> Option<f64> {
    let learned = learned.filter(|_| policy.learn_speeds == Learning::On);
    match (learned, told) {
        (Some(learned), Some(told)) => Some(told * graded(learned / told, DOUBT_GRADE)),
        (Some(learned), None) => Some(graded(learned, GRADE)),
        (None, told) => told,
    }
}

/// What is learned is noisy, and the node that seems the quickest by a hair would get all: speeds within a grade are the same.
fn graded(speed: f64, grade: f64) -> f64 {
    grade.powf((speed.ln() / grade.ln()).round())
}

/// A node that is expected to be late loses to any that is not: past the target the cost makes a leap that is greater than
/// any other.
fn lateness(late_ms: f64, weights: &CostPolicy) -> f64 {
    if late_ms > 0.0 { LATE_MS + weights.lateness * late_ms } else { 0.0 }
}

fn bounded(ms: f64, most: f64) -> f64 {
    ms / (1.0 + ms / most)
}

fn millis(span: std::time::Duration) -> f64 {
    span.as_secs_f64() * 1000.0
}
