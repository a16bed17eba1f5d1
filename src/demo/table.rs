//! What does a run say to people?
//!
//! The rivals side by side, and in words what was the same for both and how things were measured.

use std::fmt;

use comfy_table::{CellAlignment, Table, TableComponent, presets::UTF8_HORIZONTAL_ONLY};
use serde::Serialize;

use super::{
    rush::Rush,
    tally::{Percentiles, Tally},
};

/// What a run found. As text it is the table for people.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// Seed of the requests.
    pub seed: u64,
    /// How long requests were sent, in seconds.
    pub duration_seconds: f64,
    /// The node that was killed in both fleets.
    pub killed_node: &'static str,
    /// When it was killed, in seconds after the start.
    pub killed_after_seconds: f64,
    /// The fleet that picks in turn.
    pub round_robin: Tally,
    /// The fleet that picks by load, as Pointsman does by default.
    pub pointsman: Tally,
    /// What known answers, limits and degradation do in a rush.
    pub rush: Rush,
}

impl Summary {
    fn row(&self, label: impl Into<String>, cell: impl Fn(&Tally) -> String) -> [String; 3] {
        [label.into(), cell(&self.round_robin), cell(&self.pointsman)]
    }

    fn rows(&self) -> Vec<[String; 3]> {
        let time = |label: &str, of: fn(&Tally) -> Option<Percentiles>| {
            [
                self.row(format!("{label}, p50"), |tally| milliseconds(of(tally).map(|times| times.p50_ms))),
                self.row(format!("{label}, p99"), |tally| milliseconds(of(tally).map(|times| times.p99_ms))),
            ]
        };
        let mut rows = vec![
            self.row("requests", |tally| tally.requests.to_string()),
            self.row("failed attempts", |tally| tally.failed_attempts.to_string()),
            self.row("lost requests, after retries", |tally| tally.lost_requests.to_string()),
        ];
        rows.extend(time("first token, premium users", |tally| tally.premium_first_token));
        rows.extend(time("first token, free users", |tally| tally.free_first_token));
        rows.extend(time("image or transcript", |tally| tally.image_and_audio));
        rows.extend(time("asking for a node", |tally| tally.pick));
        rows.extend(self.shares());
        let last =
            |tally: &Tally| tally.last_pick_of_killed_ms.map_or("none".into(), |ms| milliseconds(Some(ms)));
        rows.push(self.row("last pick of the killed node, after its death", last));
        rows
    }

    /// What was the same for both, and how things were measured.
    fn notes(&self) -> String {
        let Self { seed, duration_seconds, killed_node, killed_after_seconds, .. } = self;
        let (first, other) = (self.round_robin.balance, self.pointsman.balance);
        format!(
            "Both columns are of this one run of {duration_seconds:.0} s, seed {seed}: two services that differ\n\
             in `policy.balance` alone ({first} and {other}), four equal nodes\n\
             each, the same requests at the same moments, the same retries. In each class\n\
             one node is 3 times slower than the other; the services are not told. After\n\
             {killed_after_seconds:.0} s {killed_node} died in both, its agent with it, as if killed by SIGKILL.\n\
             Times count from the arrival of a request and contain asking, failed attempts\n\
             and retries; lost requests have none. The nodes are models of inference servers\n\
             behind real HTTP, 8 requests at a time, with a queue capacity of 12: at the\n\
             default of 100 so short a queue would hardly weigh."
        )
    }

    fn shares(&self) -> impl Iterator<Item = [String; 3]> {
        let nodes = self.pointsman.share_until_kill.keys().chain(self.round_robin.share_until_kill.keys());
        let nodes: std::collections::BTreeSet<_> = nodes.collect();
        let share = |tally: &Tally, node: &str| tally.share_until_kill.get(node).copied().unwrap_or(0.0);
        nodes.into_iter().map(move |node| {
            self.row(format!("share of {node}, until the kill"), |tally| {
                format!("{:.0} %", 100.0 * share(tally, node))
            })
        })
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", compared(["", "round robin", "Pointsman"], self.rows()))?;
        write!(f, "{}\n\n{}", self.notes(), self.rush)
    }
}

/// Two rivals side by side.
pub(super) fn compared(header: [&str; 3], rows: impl IntoIterator<Item = [String; 3]>) -> String {
    let mut table = Table::new();
    table.load_preset(UTF8_HORIZONTAL_ONLY).set_header(header);
    table.add_rows(rows);
    // A line under each of so many rows would tear the numbers apart.
    table.remove_style(TableComponent::HorizontalLines).remove_style(TableComponent::MiddleIntersections);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    let table = table.to_string();
    table.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

/// A time, for people.
pub(super) fn milliseconds(time: Option<f64>) -> String {
    match time {
        None => "-".into(),
        Some(time) if time < 10.0 => format!("{time:.1} ms"),
        Some(time) => format!("{time:.0} ms"),
    }
}

#[cfg(test)]
mod tests;
