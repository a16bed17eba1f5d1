//! Whom a replay asks, and what it says and hears.

use super::fate::Tier;
use crate::sim::engine::{Engine, Told};

/// Who decides.
pub trait Router {
    /// A node tells how it is.
    fn report(&mut self, now: u64, report: &Report);
    /// A request wants a node.
    fn pick(&mut self, now: u64, ask: &Ask<'_>, fleet: &[Engine]) -> Verdict;
    /// A request's first token came.
    fn first_token(&mut self, now: u64, request: usize, latency_us: u64, cached_tokens: u32);
    /// A request was answered.
    fn done(&mut self, now: u64, request: usize, output_tokens: u32);
    /// A request's node broke off or was not there.
    fn failed(&mut self, now: u64, request: usize);
}

/// What a node tells.
#[derive(Debug, Clone, Copy)]
pub struct Report {
    /// The node.
    pub node: usize,
    /// When it was so, in microseconds.
    pub taken_at: u64,
    /// Number of the report.
    pub sequence: u64,
    /// What it said.
    pub told: Told,
}

/// What a request asks for.
#[derive(Debug)]
pub struct Ask<'a> {
    /// Its number.
    pub request: usize,
    /// Its tenant.
    pub tenant: u32,
    /// Its session.
    pub session: u32,
    /// What it is promised.
    pub tier: Tier,
    /// Time in which its first token is wanted, in milliseconds.
    pub deadline_ms: f64,
    /// Tokens of its prompt.
    pub input: u32,
    /// Its prompt's blocks.
    pub blocks: &'a [u64],
    /// Nodes that failed it.
    pub excluded: &'a [usize],
    /// Tokens of its answer: for those with perfect information.
    pub output: u32,
}

/// Where a request goes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Verdict {
    /// There.
    Node {
        /// The node.
        node: usize,
        /// Names the pick.
        ticket: u64,
        /// Tokens that are expected to be cached there.
        expected_cached: u32,
    },
    /// Nowhere.
    Refused,
}
