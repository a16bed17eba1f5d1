//! Why a decision came out as it did, as data.

use super::{degradation::Pool, filter::Filter, id::NodeId, limit::LimitVerdict, node::NodeClass};

/// Every stage's numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    /// Name of the policy that scored.
    pub balance: &'static str,
    /// Class that the request was filtered for.
    pub class: NodeClass,
    /// Revision of the node table that was read.
    pub revision: u64,
    /// Every node of the table, in order of its id.
    pub nodes: Vec<(NodeId, Verdict)>,
    /// Every limit that the request counts for: request limits first.
    pub limits: Vec<LimitVerdict>,
    /// What is known of its answer; `None` where it was not looked for.
    pub answer: Option<AnswerVerdict>,
    /// Its pool; `None` where no live node serves it.
    pub pool: Option<Pool>,
}

/// What is known of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnswerVerdict {
    /// The answer is.
    Fresh,
    /// An old one is.
    Stale,
    /// An identical request is on its way to it.
    Pending,
    /// Nothing is.
    Miss,
}

/// What became of one node.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// The first filter that dropped it.
    Dropped(Filter),
    /// What it scored, and its place from 0 for the picked one.
    Scored(Score, usize),
}

/// What one candidate scored.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Score {
    /// What the policy compares; lower is better.
    pub cost: f64,
    /// What its cost is made of, where the expected cost is compared.
    pub terms: Option<CostTerms>,
    /// Tokens of the prompt that it is expected to hold; `None` where the request does not tell its prefix.
    pub cached_tokens: Option<u32>,
    /// Load, from 0 to 100 plus the term of failures.
    pub load: LoadTerms,
    /// Requests queued by the report, or sent by us if that is more.
    pub queued: u32,
    /// Requests sent by us and unfinished.
    pub in_flight: u32,
    /// Share of its capacity that the node is given while it returns, over 0 to 1.
    pub slow_start: f64,
}

/// The parts of a candidate's expected cost, in milliseconds; the formula stands where it is computed, in
/// `route::score::cost`.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct CostTerms {
    /// Work before the request.
    pub wait: f64,
    /// Its own work.
    pub own: f64,
    /// What its own work costs beyond that, on a busy fleet.
    pub price: f64,
    /// Those who write their answers there are held up.
    pub batching: f64,
    /// Their contexts hold up its own answer.
    pub drag: f64,
    /// What it pushes out will be wanted again.
    pub eviction: f64,
    /// Its adapter must be loaded.
    pub adapter: f64,
    /// It comes too late.
    pub lateness: f64,
}

impl CostTerms {
    /// The cost itself: the sum.
    #[inline(always)]
    pub fn total(self) -> f64 {
        let Self { wait, own, price, batching, drag, eviction, adapter, lateness } = self;
        wait + own + price + batching + drag + eviction + adapter + lateness
    }

    /// Time to the first token.
    pub fn first_token_ms(self) -> f64 {
        self.wait + self.own
    }
}

/// The parts of a node's load; the formula stands where it is computed, in `route::score::load`.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct LoadTerms {
    /// Of the processor, or of the GPU in its place.
    pub cpu: f64,
    /// Of the memory.
    pub memory: f64,
    /// Of the queue.
    pub queue: f64,
    /// Of recent failures.
    pub failures: f64,
}

impl LoadTerms {
    /// The load itself: the sum.
    pub fn total(self) -> f64 {
        self.cpu + self.memory + self.queue + self.failures
    }
}
