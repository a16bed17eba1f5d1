//! How does the service bear load that is not the best for it?
//!
//! `cargo bench --bench load`. After `--`: `--only ROW` for one row, `--output json` for one JSON object. Servers, and who
//! reports to them, run in processes of their own. Figures are medians over rounds, which are interleaved where two things
//! are compared. Linux only: reads `/proc`.
//!
//! The rows: `reports` (picks while a large fleet reports), `half` (latency at half of the peak), `idle` (connections that
//! say nothing), `overload` (ten times the peak, in open loop, from clients that retry; `--gateways N` for more or fewer of
//! them) and `slope` (how memory grows under mixed load), which takes ten minutes, or `--minutes N`, and is measured only
//! where it is asked for.

#[expect(dead_code, reason = "requests go out by their number, to go out again")]
#[path = "../wire/asks.rs"]
mod asks;
#[expect(dead_code, reason = "the other benchmark's cases")]
#[path = "../wire/case.rs"]
mod case;
#[path = "../shared/child.rs"]
mod child;
#[path = "../shared/cpu.rs"]
mod cpu;
#[path = "../shared/fleet.rs"]
mod fleet;
#[path = "../shared/limiting.rs"]
mod limiting;
#[path = "../wire/noop.rs"]
mod noop;
#[path = "../shared/prompts.rs"]
mod prompts;
#[path = "../wire/reply.rs"]
mod reply;
#[path = "../shared/resident.rs"]
mod resident;
#[path = "../shared/said.rs"]
mod said;

mod half;
mod idle;
mod mixed;
mod overload;
mod pace;
mod reporters;
mod reports;
mod server;
mod slope;
mod storm;

use mimalloc::MiMalloc;
use said::{Failure, is_asked, say};
use serde_json::{Value, json};
use tokio::runtime::Builder;

/// As the service has it.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// What a row came to.
struct Figure {
    name: &'static str,
    figure: f64,
    bar: Bar,
    /// How it came about.
    detail: String,
}

/// Where a figure is to be.
#[derive(Debug, Clone, Copy)]
enum Bar {
    /// The less the better.
    AtMost(f64),
    /// The more the better.
    AtLeast(f64),
}

impl Bar {
    fn is_kept(self, figure: f64) -> bool {
        match self {
            Self::AtMost(most) => figure <= most,
            Self::AtLeast(least) => figure >= least,
        }
    }

    fn said(self) -> String {
        match self {
            Self::AtMost(most) => format!("<= {most:.2}"),
            Self::AtLeast(least) => format!(">= {least:.2}"),
        }
    }
}

/// Measures a row.
type Row = fn() -> Result<Vec<Figure>, Failure>;

const ROWS: [(&str, Row); 5] = [
    ("reports", reports::row),
    ("half", half::row),
    ("idle", idle::row),
    ("overload", overload::row),
    (LONG, slope::row),
];
/// The row that takes minutes: it is measured only where it is asked for.
const LONG: &str = "slope";

fn main() -> Result<(), Failure> {
    if let Some(role) = child::role() {
        return server::serve(&role);
    }
    let only = argument("--only");
    let mut figures = Vec::new();
    for (name, row) in ROWS {
        if only.as_ref().map_or(name != LONG, |only| only == name) {
            figures.extend(row()?);
        }
    }
    if is_asked("json") {
        let object: serde_json::Map<String, Value> =
            figures.iter().map(|figure| (figure.name.to_owned(), json!(figure.figure))).collect();
        say(&json!({ "load": object }).to_string());
        return Ok(());
    }
    say("row                           figure        bar");
    for Figure { name, figure, bar, detail } in &figures {
        let kept = if bar.is_kept(*figure) { "kept" } else { "MISSED" };
        say(&format!("{name:<28} {figure:>7.2} {:>10}   {kept:<7} {detail}", bar.said()));
    }
    if only.is_none() {
        say("left out, as it takes ten minutes: `--only slope`");
    }
    Ok(())
}

/// What stands after this argument.
fn argument(name: &str) -> Option<String> {
    std::env::args().skip_while(|argument| argument != name).nth(1)
}

/// Runs one side of a row.
fn block_on<T>(side: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    Builder::new_current_thread().enable_all().build()?.block_on(side)
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or_default()
}
