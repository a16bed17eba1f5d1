//! A report made by hand, for the tests of how reports are shown.

use crate::sim::figures::{NodeRun, Report, Run, TierRun};

/// Requests that came.
const REQUESTS: u16 = 1_000;
/// Spans of time that the load is told of.
const SPANS: u16 = 300;

/// Three policies on four nodes.
pub(super) fn report() -> Report {
    let runs = [("round_robin", 6.0), ("least_in_flight", 2.0), ("expected_cost", 1.0)];
    Report {
        trace: "mooncake-conversation".to_owned(),
        nodes: 4,
        load_ratio: Some(0.9),
        speed: 2.314,
        seed: 7,
        runs: runs.map(|(policy, slow)| run(policy, slow, 4)).to_vec(),
    }
}

/// A run that is so many times slower than the best.
pub(super) fn run(policy: &str, slow: f64, nodes: u16) -> Run {
    let (first_tokens, at) = latencies(slow);
    Run {
        policy: policy.to_owned(),
        requests: REQUESTS.into(),
        in_time: 0.98 - 0.05 * slow,
        mean_ms: 1_211.0 * slow,
        p50_ms: at(0.5),
        p90_ms: at(0.9),
        p99_ms: at(0.99),
        slowdown_p99: 3.0 + slow,
        token_p50_ms: 31.0 + slow,
        token_p99_ms: 74.0,
        hit_ratio: 0.37 / slow,
        imbalance: 0.02 * slow,
        jain: 1.0 - 0.01 * slow,
        preemptions: if slow > 5.0 { 1_234 } else { 0 },
        refused_ratio: 0.0,
        tiers: vec![
            TierRun { name: "premium", requests: 300, in_time: 0.99, p99_ms: at(0.9), refused_ratio: 0.0 },
            TierRun { name: "free", requests: 700, in_time: 0.8, p99_ms: at(0.99), refused_ratio: 0.05 },
        ],
        nodes: (0..nodes).map(|at| node(at, slow)).collect(),
        first_tokens,
        load: (0..nodes).map(|node| load(node, slow)).collect(),
        span_s: 5.0,
    }
}

/// A log-logistic distribution: latencies look about like it.
#[expect(clippy::cast_possible_truncation, reason = "far within an `f32`")]
fn latencies(slow: f64) -> (Vec<f32>, impl Fn(f64) -> f64) {
    let at = move |share: f64| 450.0 * slow * (share / (1.0 - share)).powf(0.55);
    let shares = (0..REQUESTS).map(|at| (f64::from(at) + 0.5) / f64::from(REQUESTS));
    (shares.map(|share| at(share) as f32).collect(), at)
}

fn node(at: u16, slow: f64) -> NodeRun {
    let busy = (0.85 + 0.02 * f64::from(at) * slow).min(1.0);
    NodeRun { name: format!("node-{at}"), picks: 250, busy }
}

/// Waves, that come to the nodes one after the other and are the higher the slower the policy is.
#[expect(clippy::cast_possible_truncation, reason = "between 0 and 1")]
fn load(node: u16, slow: f64) -> Vec<f32> {
    let wave = |span: u16| (f64::from(span) / 19.0 + f64::from(node) * 1.7).sin();
    let noise = |span: u16| (f64::from(span * 7 + node) * 12.9898).sin() * 0.08;
    (0..SPANS).map(|span| (0.8 + 0.07 * slow * wave(span) + noise(span)).clamp(0.0, 1.0) as f32).collect()
}
