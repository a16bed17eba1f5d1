//! What came of a replay.

use super::Fate;

/// How far back load is told in one span of time: so many spans a run.
pub const SPANS: usize = 240;

/// What came of a replay.
#[derive(Debug)]
pub struct Replayed {
    /// Every request, in order of arrival.
    pub fates: Vec<Fate>,
    /// Per node: requests, prompt work computed, preemptions, and microseconds computing.
    pub nodes: Vec<NodeTally>,
    /// Per node and span: share of the span spent computing.
    pub load: Vec<Vec<f32>>,
    /// Length of a span in microseconds.
    pub span_us: u64,
    /// When the last request ended.
    pub ended: u64,
}

/// What one node did.
#[derive(Debug, Clone, Default)]
pub struct NodeTally {
    /// Requests sent to it.
    pub picks: u64,
    /// Prompt work computed.
    pub computed: f64,
    /// Preemptions.
    pub preemptions: u64,
    /// Microseconds spent computing.
    pub busy_us: u64,
}

/// Busy shares by equal spans of time, from samples of busy time so far.
pub(super) fn spans(samples: &[(u64, Vec<u64>)], ended: u64, nodes: usize) -> (Vec<Vec<f32>>, u64) {
    let span = (ended / SPANS as u64).max(1);
    let mut load = vec![vec![0.0; SPANS]; nodes];
    for pair in samples.windows(2) {
        let ((from, before), (_, after)) = (&pair[0], &pair[1]);
        let index = usize::try_from(from / span).unwrap_or(SPANS).min(SPANS - 1);
        for node in 0..nodes {
            load[node][index] += (after[node] - before[node]) as f32 / span as f32;
        }
    }
    (load, span)
}
