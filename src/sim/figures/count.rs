//! How are a replay's figures counted?
//!
//! The first tenth of the requests warms the caches up and does not count. Refused requests are not in time.

use std::collections::BTreeMap;

use super::{NodeRun, Run, TierRun};
use crate::sim::{
    replay::{Fate, Replayed, Tier},
    trace::Trace,
};

/// One part of so many requests warms up.
const WARM_UP: usize = 10;
/// Tenants with fewer requests say nothing of fairness.
const TENANT_REQUESTS_MIN: u32 = 20;

impl Run {
    /// The figures of a replay under the policy of this name.
    pub fn of(policy: &str, trace: &Trace, replayed: &Replayed) -> Self {
        let counted = counted(&replayed.fates);
        let output = |fate: &Fate| trace.rows[fate.row].output;
        let firsts = sorted(counted.iter().filter_map(Fate::first_token_ms));
        let tokens = sorted(counted.iter().filter_map(|fate| fate.token_ms(output(fate))));
        let slowdowns =
            sorted(counted.iter().filter_map(|fate| Some((fate.first_token_ms()? / fate.ideal_ms).max(1.0))));
        Self {
            policy: policy.to_owned(),
            requests: counted.len() as u64,
            in_time: share(counted, |fate| fate.in_time(output(fate))),
            mean_ms: mean(&firsts),
            p50_ms: percentile(&firsts, 0.5),
            p90_ms: percentile(&firsts, 0.9),
            p99_ms: percentile(&firsts, 0.99),
            slowdown_p99: percentile(&slowdowns, 0.99),
            token_p50_ms: percentile(&tokens, 0.5),
            token_p99_ms: percentile(&tokens, 0.99),
            hit_ratio: hit_ratio(counted, trace),
            imbalance: variation(&replayed.nodes.iter().map(|node| node.computed).collect::<Vec<_>>()),
            jain: jain(counted, trace),
            preemptions: replayed.nodes.iter().map(|node| node.preemptions).sum(),
            refused_ratio: share(counted, |fate| fate.refused),
            tiers: Tier::NAMES.iter().map(|(tier, name)| tier_run(*tier, name, counted, trace)).collect(),
            nodes: node_runs(replayed),
            first_tokens: firsts.iter().map(|ms| narrow(*ms)).collect(),
            load: replayed.load.clone(),
            span_s: replayed.span_us as f64 / 1e6,
        }
    }
}

/// Share of counted requests whose first token came in time.
pub fn first_tokens_in_time(replayed: &Replayed) -> f64 {
    share(counted(&replayed.fates), Fate::first_token_in_time)
}

fn counted(fates: &[Fate]) -> &[Fate] {
    &fates[fates.len() / WARM_UP..]
}

fn tier_run(tier: Tier, name: &'static str, fates: &[Fate], trace: &Trace) -> TierRun {
    let fates: Vec<Fate> = fates.iter().copied().filter(|fate| fate.tier == tier).collect();
    TierRun {
        name,
        requests: fates.len() as u64,
        in_time: share(&fates, |fate| fate.in_time(trace.rows[fate.row].output)),
        p99_ms: percentile(&sorted(fates.iter().filter_map(Fate::first_token_ms)), 0.99),
        refused_ratio: share(&fates, |fate| fate.refused),
    }
}

fn node_runs(replayed: &Replayed) -> Vec<NodeRun> {
    let run = |(number, node): (usize, &crate::sim::replay::NodeTally)| NodeRun {
        name: format!("n{number:04}"),
        picks: node.picks,
        busy: node.busy_us as f64 / replayed.ended.max(1) as f64,
    };
    replayed.nodes.iter().enumerate().map(run).collect()
}

fn hit_ratio(fates: &[Fate], trace: &Trace) -> f64 {
    let answered = fates.iter().filter(|fate| fate.first_token.is_some());
    let (cached, input) = answered.fold((0.0, 0.0), |(cached, input), fate| {
        (cached + f64::from(fate.cached), input + f64::from(trace.rows[fate.row].input))
    });
    if input > 0.0 { cached / input } else { 0.0 }
}

/// Jain's index of the tenants' shares in time: `(Σx)² / (n · Σx²)`.
fn jain(fates: &[Fate], trace: &Trace) -> f64 {
    let mut tenants: BTreeMap<u32, (u32, u32)> = BTreeMap::new();
    for fate in fates {
        let row = &trace.rows[fate.row];
        let (in_time, all) = tenants.entry(row.tenant).or_default();
        *in_time += u32::from(fate.in_time(row.output));
        *all += 1;
    }
    let large = tenants.values().filter(|(_, all)| *all >= TENANT_REQUESTS_MIN);
    let shares: Vec<f64> = large.map(|(in_time, all)| f64::from(*in_time) / f64::from(*all)).collect();
    let (sum, squares) = shares.iter().fold((0.0, 0.0), |(sum, squares), x| (sum + x, squares + x * x));
    if squares > 0.0 { sum * sum / (shares.len() as f64 * squares) } else { 1.0 }
}

fn share(fates: &[Fate], holds: impl Fn(&Fate) -> bool) -> f64 {
    if fates.is_empty() {
        return 0.0;
    }
    fates.iter().filter(|fate| holds(fate)).count() as f64 / fates.len() as f64
}

fn sorted(numbers: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut numbers: Vec<f64> = numbers.collect();
    numbers.sort_by(f64::total_cmp);
    numbers
}

fn mean(numbers: &[f64]) -> f64 {
    if numbers.is_empty() { 0.0 } else { numbers.iter().sum::<f64>() / numbers.len() as f64 }
}

/// By nearest rank, of sorted numbers.
fn percentile(sorted: &[f64], share: f64) -> f64 {
    let rank = (sorted.len() as f64 * share).ceil().max(1.0);
    sorted
        .iter()
        .enumerate()
        .find(|(index, _)| *index as f64 + 1.0 >= rank)
        .map_or(0.0, |(_, number)| *number)
}

/// Coefficient of variation.
fn variation(numbers: &[f64]) -> f64 {
    let mean = mean(numbers);
    let variance = numbers.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / numbers.len().max(1) as f64;
    if mean > 0.0 { variance.sqrt() / mean } else { 0.0 }
}

#[expect(clippy::cast_possible_truncation, reason = "a picture needs no more")]
fn narrow(number: f64) -> f32 {
    number as f32
}

#[cfg(test)]
mod tests;
