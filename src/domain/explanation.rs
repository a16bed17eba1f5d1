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
    /// Load, from 0 to 100 plus the term of failures.
    pub load: LoadTerms,
    /// Requests queued by the report, or sent by us if that is more.
    pub queued: u32,
    /// Requests sent by us and unfinished.
    pub in_flight: u32,
    /// Share of its capacity that the node is given while it returns, over 0 to 1.
    pub slow_start: f64,
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
