//! What does a simulation say about a policy?

mod count;

use serde::Serialize;

pub use count::first_tokens_in_time;

/// What was simulated, and how each policy did.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Name of the trace.
    pub trace: String,
    /// Nodes of the fleet.
    pub nodes: u32,
    /// Share of saturation that the trace was played at, such as 0.9; absent where the speed was given instead.
    pub load_ratio: Option<f64>,
    /// How many times faster than recorded the trace was played.
    pub speed: f64,
    /// Seed of all chance.
    pub seed: u64,
    /// One run a policy, in the order asked for.
    pub runs: Vec<Run>,
}

/// How one policy did. A latency is the time to the first token, and that of answered requests only; a figure
/// of nothing (no request, no token) is 0.
#[derive(Debug, Clone, Serialize)]
pub struct Run {
    /// Name of the policy.
    pub policy: String,
    /// Requests of the trace.
    pub requests: u64,
    /// Share of all requests that had their first token, and each further one, in time; from 0 to 1.
    pub in_time: f64,
    /// Mean latency in milliseconds.
    pub mean_ms: f64,
    /// Median latency in milliseconds.
    pub p50_ms: f64,
    /// 90th percentile of the latency in milliseconds.
    pub p90_ms: f64,
    /// 99th percentile of the latency in milliseconds.
    pub p99_ms: f64,
    /// 99th percentile of the latency over what it would have been on an idle node, at least 1.
    pub slowdown_p99: f64,
    /// Median time per output token in milliseconds.
    pub token_p50_ms: f64,
    /// 99th percentile of the time per output token in milliseconds.
    pub token_p99_ms: f64,
    /// Share of prompt tokens that a node held already, from 0 to 1.
    pub hit_ratio: f64,
    /// Coefficient of variation over nodes of the prompt work they computed; 0 is even.
    pub imbalance: f64,
    /// Jain's index over tenants, from 1 / tenants to 1; 1 is fair.
    pub jain: f64,
    /// How often a node threw out a running request to make room.
    pub preemptions: u64,
    /// Share of requests that were refused, from 0 to 1.
    pub refused_ratio: f64,
    /// The same by tier, highest first; empty where the trace has no tiers.
    pub tiers: Vec<TierRun>,
    /// What each node did, in the order of the fleet.
    pub nodes: Vec<NodeRun>,
    /// Latencies of all answered requests in milliseconds, sorted.
    #[serde(skip)]
    pub first_tokens: Vec<f32>,
    /// For each node and each span of time, the share of it spent computing, from 0 to 1.
    #[serde(skip)]
    pub load: Vec<Vec<f32>>,
    /// Length of one span of `load` in seconds.
    #[serde(skip)]
    pub span_s: f64,
}

/// How one tier fared.
#[derive(Debug, Clone, Serialize)]
pub struct TierRun {
    /// Name of the tier.
    pub name: &'static str,
    /// Requests of the tier.
    pub requests: u64,
    /// Share of them that had their first token in time, from 0 to 1.
    pub in_time: f64,
    /// 99th percentile of the latency in milliseconds.
    pub p99_ms: f64,
    /// Share of them that were refused, from 0 to 1.
    pub refused_ratio: f64,
}

/// What one node did.
#[derive(Debug, Clone, Serialize)]
pub struct NodeRun {
    /// Name of the node.
    pub name: String,
    /// Requests sent to it.
    pub picks: u64,
    /// Share of the time that it computed, from 0 to 1.
    pub busy: f64,
}
