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

use fearless_simd::Level;

use crate::{
    domain::{
        explanation::CostTerms, policy::CostPolicy, prefix::PrefixPolicy, request::RouteRequest,
        time::Instant, work::work,
    },
    route::{Scene, filter::Candidate},
    state::{
        demand::Figures,
        leases::Work,
        nodes::{
            prefixes::{Overlaps, Wanted},
            reading::Reading,
            standing::{Speeds, Standing, millis},
        },
    },
};

/// Length that a prompt is taken to have if nobody says.
const PROMPT_TOKENS: u32 = 1000;
/// Work of reading one token of context while another sequence writes a token.
const READ_WORK: f64 = 6e-4;
/// Where the work that holds up other sequences, and that which is lost to eviction, cease to count in full, in ms.
pub(super) const HOLD_UP_MS: f64 = 2000.0;
const RENEW_MS: f64 = 10_000.0;
/// What being late at all costs, in ms.
const LATE_MS: f64 = 100_000.0;

/// What all candidates of a pick have in common.
#[derive(Debug)]
pub struct Market {
    figures: Figures,
    overlaps: Overlaps,
    prompt_tokens: u32,
    block_tokens: u32,
    pub(super) speeds: Speeds,
    pub(super) target_ms: f64,
    pub(super) price: f64,
    /// Share of what is pushed out that will be missed, as its weight.
    pub(super) eviction: f64,
    /// What a token of context costs the request's own answer.
    pub(super) drag: f64,
    wanted: Wanted,
    pub(super) weights: CostPolicy,
    pub(super) now_ms: f64,
    /// How many numbers the processor reckons with at once.
    pub(super) level: Level,
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

/// What a request asks of a node that holds so much of its prompt.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Demands {
    cached_tokens: u32,
    /// Work of the rest.
    pub(super) work: f64,
    /// Blocks that the rest takes.
    pub(super) blocks: f64,
    /// What it takes to compute as much again, on a node of mean speed, as will be pushed out.
    pub(super) renew: f64,
}

impl Market {
    /// Looks around once for all candidates.
    pub fn of(request: &RouteRequest, speeds: Speeds, scene: Scene<'_>, now: Instant) -> Self {
        let policy = scene.policy;
        let weights = policy.cost;
        let figures = scene.state.demand.get(&request.pool());
        Self {
            overlaps: scene.state.nodes.prefixes.overlaps(&request.prefix),
            prompt_tokens: prompt_tokens(request, &policy.prefixes),
            block_tokens: policy.prefixes.block_tokens.get(),
            speeds,
            target_ms: in_millis(request.first_token_target(&policy.tiers)),
            price: (1.0 / (1.0 - figures.busy).max(f64::EPSILON)).clamp(1.0, weights.price_max),
            eviction: weights.eviction * figures.reuse.powi(3),
            drag: weights.drag * figures.output_tokens * READ_WORK,
            wanted: Wanted::within(figures.pause(), now),
            figures,
            weights,
            now_ms: millis(now),
            level: Level::new(),
        }
    }

    /// Where a candidate stands.
    pub fn standing(&self, candidate: &Candidate<'_>) -> Standing {
        let occupancy = candidate.node.live.occupancy.as_deref();
        Standing::of(&candidate.reading, occupancy, &self.speeds, &self.wanted)
    }

    /// What the request costs on a candidate that stands so.
    pub fn outlook(&self, reading: &Reading, standing: &Standing) -> Outlook {
        let depth = self.overlaps.depth(reading.holder);
        let demands = self.demands(depth);
        let terms = self.terms(standing, &demands);
        let adapter = if reading.lacks_adapter() { in_millis(self.weights.adapter_load) } else { 0.0 };
        let ahead = terms.wait / standing.pace;
        Outlook {
            terms: CostTerms { adapter, ..terms },
            work: Work { own: demands.work, ahead: ahead + demands.work, expected_blocks: depth },
            cached_tokens: demands.cached_tokens,
        }
    }

    /// What the request asks of a node that holds so many blocks of its prompt.
    pub(super) fn demands(&self, depth: u32) -> Demands {
        let cached_tokens = self.tokens_of(depth);
        let tokens = self.prompt_tokens - cached_tokens;
        let work = work(tokens, cached_tokens);
        Demands {
            cached_tokens,
            work,
            blocks: f64::from(tokens.div_ceil(self.block_tokens)),
            renew: self.renew(work),
        }
    }

    /// What it takes to compute so much again, on a node of mean speed.
    pub(super) fn renew(&self, work: f64) -> f64 {
        bounded(work / self.speeds.mean, RENEW_MS)
    }

    /// What lies before a node, in ms.
    #[inline(always)]
    pub(super) fn wait(&self, standing: &Standing) -> f64 {
        let left = standing.free_at - self.now_ms;
        standing.backlog + if left > 0.0 { left } else { 0.0 }
    }

    /// The formula, but for the adapter.
    #[inline(always)]
    pub(super) fn terms(&self, standing: &Standing, demands: &Demands) -> CostTerms {
        let wait = self.wait(standing);
        let own = demands.work * standing.pace;
        let fill = (standing.lively + demands.blocks) * standing.block_share;
        CostTerms {
            wait,
            own,
            price: (self.price - 1.0) * own,
            batching: self.weights.batching * standing.decoding * bounded(own, HOLD_UP_MS),
            drag: self.drag * standing.context,
            eviction: self.eviction * demands.renew * fill * fill * fill,
            adapter: 0.0,
            lateness: lateness(wait + own - self.target_ms, &self.weights),
        }
    }

    /// Tokens of the prompt that a candidate is expected to hold.
    pub fn cached(&self, reading: &Reading) -> u32 {
        self.tokens_of(self.overlaps.depth(reading.holder))
    }

    /// The last token is computed in any case.
    fn tokens_of(&self, blocks: u32) -> u32 {
        blocks.saturating_mul(self.block_tokens).min(self.prompt_tokens.saturating_sub(1))
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

    /// What lies before a node that is taken to be wholly busy, in ms.
    pub fn busy_wait_ms(&self) -> f64 {
        in_millis(self.weights.busy_wait).max(f64::EPSILON)
    }

    /// Who holds how much of the prompt.
    pub fn overlaps(&self) -> &Overlaps {
        &self.overlaps
    }

    /// How long blocks are likely to be wanted again.
    pub fn wanted(&self) -> &Wanted {
        &self.wanted
    }
}

/// Length of the prompt, as far as it is told.
pub fn prompt_tokens(request: &RouteRequest, policy: &PrefixPolicy) -> u32 {
    let blocks = u32::try_from(request.prefix.len()).unwrap_or(u32::MAX);
    let at_least = blocks.saturating_mul(policy.block_tokens.get());
    request.prompt_tokens.unwrap_or(if at_least > 0 { at_least } else { PROMPT_TOKENS }).max(1)
}

/// A node that is expected to be late loses to any that is not: past the target the cost makes a leap that is greater than
/// any other.
#[inline(always)]
pub(super) fn lateness(late_ms: f64, weights: &CostPolicy) -> f64 {
    // Two choices of one number each, which processors make for several nodes at once.
    let (leap, over) = (if late_ms > 0.0 { LATE_MS } else { 0.0 }, if late_ms > 0.0 { late_ms } else { 0.0 });
    leap + weights.lateness * over
}

#[inline(always)]
pub(super) fn bounded(ms: f64, most: f64) -> f64 {
    // `ms / (1 + ms / most)`, with one division.
    ms * most / (most + ms)
}

fn in_millis(span: std::time::Duration) -> f64 {
    span.as_secs_f64() * 1000.0
}
