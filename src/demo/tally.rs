//! What came of it all, side by side.

use std::{collections::BTreeMap, fmt, time::Duration};

use comfy_table::{CellAlignment, Table, presets::UTF8_FULL_CONDENSED};
use serde::Serialize;
use tokio::time::Instant;

use super::{fleet::KILLED, gateway::Served};
use crate::domain::request::Tier;

/// Both fleets of one run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// How long requests were sent, in seconds.
    pub seconds: f64,
    /// With `balance: round_robin`.
    pub round_robin: Column,
    /// With `balance: weighted_load`, Pointsman's default.
    pub pointsman: Column,
}

/// One fleet.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Column {
    /// Requests sent.
    pub requests: usize,
    /// Attempts that failed and were made again elsewhere.
    pub failed_attempts: usize,
    /// Requests that got no answer after all attempts.
    pub lost: usize,
    /// First-token latency of premium users.
    pub premium: TierLatency,
    /// First-token latency of free users.
    pub free: TierLatency,
    /// Share of the picks, by node, from 0 to 1.
    pub shares: BTreeMap<String, f64>,
    /// From the death of the killed node to the answer of the last pick that named it, in milliseconds; 0 for none.
    pub last_pick_of_killed_ms: f64,
}

/// First-token latency of a tier, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct TierLatency {
    /// Half of the requests had theirs by then.
    pub p50_ms: f64,
    /// All but one in a hundred.
    pub p99_ms: f64,
}

impl Summary {
    /// Sums up what was served, first by round robin, then by Pointsman.
    pub(super) fn of(duration: Duration, killed: Instant, served: [&Vec<Served>; 2]) -> Self {
        let [round_robin, pointsman] = served.map(|served| Column::of(served, killed));
        Self { seconds: duration.as_secs_f64(), round_robin, pointsman }
    }
}

impl Column {
    fn of(served: &[Served], killed: Instant) -> Self {
        let picks: Vec<_> = served.iter().flat_map(|served| &served.picks).collect();
        let mut shares = BTreeMap::<String, f64>::new();
        for (node, _) in &picks {
            *shares.entry(node.clone()).or_default() += 1.0 / picks.len() as f64;
        }
        let of_killed = picks.iter().filter(|(node, _)| node == KILLED);
        let last = of_killed.map(|(_, at)| at.saturating_duration_since(killed)).max().unwrap_or_default();
        Self {
            requests: served.len(),
            failed_attempts: served.iter().map(|served| served.failed_attempts).sum(),
            lost: served.iter().filter(|served| served.first_token.is_none()).count(),
            premium: TierLatency::of(served, Tier::Premium),
            free: TierLatency::of(served, Tier::Free),
            shares,
            last_pick_of_killed_ms: last.as_secs_f64() * 1e3,
        }
    }
}

impl TierLatency {
    fn of(served: &[Served], tier: Tier) -> Self {
        let of_tier = served.iter().filter(|served| served.tier == Some(tier));
        let mut latencies: Vec<_> = of_tier.filter_map(|served| served.first_token).collect();
        latencies.sort_unstable();
        Self { p50_ms: percentile(&latencies, 0.50), p99_ms: percentile(&latencies, 0.99) }
    }
}

/// The smallest sample that a share of all does not exceed, in milliseconds; 0 of none.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a length")]
fn percentile(sorted: &[Duration], share: f64) -> f64 {
    let rank = (sorted.len() as f64 * share).ceil() as usize;
    let sample = sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default();
    sample.as_secs_f64() * 1e3
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::new();
        table.load_preset(UTF8_FULL_CONDENSED);
        table.set_header(["", "round robin", "Pointsman"]);
        for column in table.column_iter_mut().skip(1) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        for (name, cell) in rows(&self.round_robin) {
            table.add_row([name, cell(&self.round_robin), cell(&self.pointsman)]);
        }
        writeln!(
            f,
            "The same {:.0} s of requests to two equal fleets, at the same moments; half-way both lose {KILLED}.\n\
             node-1 and node-2 serve premium users, node-3 and node-4 free ones; node-2 and node-4 are 2.5 times slower.\n\
             Both columns are this service, with `balance` set to `round_robin` and to `weighted_load` (the default).",
            self.seconds,
        )?;
        write!(f, "{table}")
    }
}

type Cell = Box<dyn Fn(&Column) -> String>;

fn rows(column: &Column) -> Vec<(String, Cell)> {
    let millis = |value: f64| format!("{value:.0} ms");
    let mut rows: Vec<(String, Cell)> = vec![
        ("requests".into(), Box::new(|c| c.requests.to_string())),
        ("attempts that failed".into(), Box::new(|c| c.failed_attempts.to_string())),
        ("requests lost".into(), Box::new(|c| c.lost.to_string())),
        ("first token, premium, p50".into(), Box::new(move |c| millis(c.premium.p50_ms))),
        ("first token, premium, p99".into(), Box::new(move |c| millis(c.premium.p99_ms))),
        ("first token, free, p50".into(), Box::new(move |c| millis(c.free.p50_ms))),
        ("first token, free, p99".into(), Box::new(move |c| millis(c.free.p99_ms))),
    ];
    for node in column.shares.keys() {
        let id = node.clone();
        let share = move |c: &Column, node: &str| c.shares.get(node).copied().unwrap_or_default() * 100.0;
        rows.push((format!("picks of {node}"), Box::new(move |c| format!("{:.0} %", share(c, &id)))));
    }
    rows.push(("last pick of the dead node".into(), Box::new(move |c| millis(c.last_pick_of_killed_ms))));
    rows
}

#[cfg(test)]
mod tests;
