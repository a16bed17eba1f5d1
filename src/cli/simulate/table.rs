//! What do people read of a simulation?
//!
//! The policies side by side: what requests got, how the nodes were used, and how each tier fared. The best of a column
//! has a star, so that nobody has to compare digits.

use comfy_table::{CellAlignment, Table, TableComponent, presets::UTF8_HORIZONTAL_ONLY};

use super::words::{answered, grouped, headline, percent};
use crate::sim::figures::{Report, Run, TierRun};

/// Marks the best of a column.
const STAR: &str = "*";
/// Longest name of a policy that leaves room for the figures on 100 columns.
const NAME_MAX: usize = 18;

const NOTE: &str = "TTFT: time to first token, TPOT: time per output token, slowdown: TTFT over that on an \
                    idle node;\nall three of answered requests. Imbalance: variation of the prompt work that \
                    nodes computed.";

/// A column: its header, what it shows of a run, and which of the figures is best.
struct Column {
    header: &'static str,
    show: fn(f64) -> String,
    figure: fn(&Run) -> Option<f64>,
    best: Best,
}

/// Which figure of a column is best.
#[derive(Clone, Copy)]
enum Best {
    Highest,
    Lowest,
    /// There is no better and worse.
    None,
}

/// The report as tables of at most 100 columns.
pub(crate) fn table(report: &Report) -> String {
    let runs = &report.runs;
    let mut parts = vec![headline(report), compared(runs, &requests()), compared(runs, &nodes())];
    if runs.iter().any(|run| !run.tiers.is_empty()) {
        parts.push(tiers(runs));
    }
    let star = if runs.len() > 1 { format!("{STAR} best of its column.\n") } else { String::new() };
    parts.push(star + NOTE);
    parts.join("\n\n")
}

/// What requests got.
fn requests() -> Vec<Column> {
    let share = |header, figure, best| Column { header, show: tenths, figure, best };
    let latency = |header, figure| Column { header, show: grouped, figure, best: Best::Lowest };
    vec![
        share("in\ntime", |run| Some(run.in_time), Best::Highest),
        share("re-\nfused", |run| Some(run.refused_ratio), Best::Lowest),
        latency("TTFT, ms\nmean", |run| answered(run).then_some(run.mean_ms)),
        latency("\np50", |run| answered(run).then_some(run.p50_ms)),
        latency("\np90", |run| answered(run).then_some(run.p90_ms)),
        latency("\np99", |run| answered(run).then_some(run.p99_ms)),
        Column {
            header: "slowdown\np99",
            show: |times| format!("{times:.1}"),
            figure: |run| answered(run).then_some(run.slowdown_p99),
            best: Best::Lowest,
        },
    ]
}

/// How the nodes were used, and how fast they answered once they did.
fn nodes() -> Vec<Column> {
    let token = |header, figure| Column { header, show: grouped, figure, best: Best::Lowest };
    let ratio = |header, figure, best| Column { header, show: |ratio| format!("{ratio:.3}"), figure, best };
    let busy = |header, figure| Column { header, show: whole, figure, best: Best::None };
    vec![
        token("TPOT, ms\np50", |run| answered(run).then_some(run.token_p50_ms)),
        token("\np99", |run| answered(run).then_some(run.token_p99_ms)),
        Column {
            header: "cache\nhits",
            show: tenths,
            figure: |run| Some(run.hit_ratio),
            best: Best::Highest,
        },
        ratio("im-\nbalance", |run| Some(run.imbalance), Best::Lowest),
        ratio("fairness\n(Jain)", |run| Some(run.jain), Best::Highest),
        token("pre-\nemptions", |run| Some(run.preemptions as f64)),
        busy("nodes busy\nleast", |run| run.nodes.iter().map(|node| node.busy).reduce(f64::min)),
        busy("\nmost", |run| run.nodes.iter().map(|node| node.busy).reduce(f64::max)),
    ]
}

fn tenths(ratio: f64) -> String {
    percent(ratio, 1)
}

fn whole(ratio: f64) -> String {
    percent(ratio, 0)
}

fn compared(runs: &[Run], columns: &[Column]) -> String {
    let mut table = empty(std::iter::once("policy").chain(columns.iter().map(|column| column.header)), 1);
    let cells: Vec<_> = columns.iter().map(|column| starred(runs, column)).collect();
    for (at, run) in runs.iter().enumerate() {
        table.add_row(std::iter::once(name(run)).chain(cells.iter().map(|column| column[at].clone())));
    }
    trimmed(&table)
}

/// The cells of a column. Figures that look alike are equally good, and where all do there is no best.
fn starred(runs: &[Run], column: &Column) -> Vec<String> {
    let figures: Vec<_> =
        runs.iter().map(|run| (column.figure)(run).filter(|figure| figure.is_finite())).collect();
    let known = figures.iter().copied().flatten();
    let best = match column.best {
        Best::Highest => known.reduce(f64::max),
        Best::Lowest => known.reduce(f64::min),
        Best::None => None,
    };
    let best = best.map(column.show);
    let shown: Vec<_> =
        figures.into_iter().map(|figure| figure.map_or_else(|| "-".to_owned(), column.show)).collect();
    let alike = shown.iter().all(|text| *text == shown[0]);
    let mark = |text: String| {
        let star = if !alike && Some(&text) == best.as_ref() { STAR } else { " " };
        text + star
    };
    shown.into_iter().map(mark).collect()
}

/// Each tier under each policy.
fn tiers(runs: &[Run]) -> String {
    let mut table = empty(["policy", "tier", "requests", "in time", "refused", "TTFT p99, ms"], 2);
    for run in runs {
        for (at, tier) in run.tiers.iter().enumerate() {
            let policy = if at == 0 { name(run) } else { String::new() };
            let TierRun { name, requests, in_time, p99_ms, refused_ratio } = tier;
            let figures =
                [grouped(*requests as f64), tenths(*in_time), tenths(*refused_ratio), grouped(*p99_ms)];
            table.add_row([policy, (*name).to_owned()].into_iter().chain(figures));
        }
    }
    trimmed(&table)
}

fn name(run: &Run) -> String {
    if run.policy.chars().count() <= NAME_MAX {
        return run.policy.clone();
    }
    run.policy.chars().take(NAME_MAX - 1).chain(['…']).collect()
}

/// A table whose columns after the first `texts` hold numbers.
fn empty<'a>(headers: impl IntoIterator<Item = &'a str>, texts: usize) -> Table {
    let mut table = Table::new();
    table.load_preset(UTF8_HORIZONTAL_ONLY).set_header(headers);
    table.remove_style(TableComponent::HorizontalLines).remove_style(TableComponent::MiddleIntersections);
    for (at, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 1));
        if at >= texts {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

fn trimmed(table: &Table) -> String {
    table.to_string().lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests;
