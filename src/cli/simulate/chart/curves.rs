//! How soon did how many requests have their first token?
//!
//! A line a policy, over a logarithmic axis: half of it is about milliseconds, half about many seconds. Refused requests
//! count as never answered, so that a line that ends below 100 % shows them. Each line is named at its end: names stand
//! in steps above the plot, the furthest on top, so that no name is crossed by the line to another.

use std::fmt::Write as _;

use super::{
    MARGIN, WIDTH,
    canvas::{Canvas, Ink},
    clipped, colour, latencies,
    scale::Log,
};
use crate::{
    cli::simulate::words::{answered, percent, time},
    sim::figures::Run,
};

const HEIGHT: f64 = 300.0;
/// Distance of the names.
const STEP: f64 = 18.0;
const POINTS_MAX: u16 = 200;
/// What an axis shows where nothing was answered, in milliseconds.
const UNKNOWN: (f64, f64) = (10.0, 10_000.0);
/// Anything sooner is drawn as this, in milliseconds.
const SOONEST: f64 = 0.1;
const GRID: &str = "#e4e7eb";
const AXIS: &str = "#8c959f";

/// The lines, and the axes that they stand on.
struct Plot<'a> {
    runs: &'a [Run],
    x: Log,
    top: f64,
}

/// Draws the lines from `top` on, and says where they end.
pub(super) fn draw(canvas: &mut Canvas, top: f64, runs: &[Run]) -> f64 {
    canvas.text(MARGIN, top, Ink::HEADING, "Requests that had their first token within a time");
    let named = runs.iter().filter(|run| answered(run)).count();
    let plot = Plot {
        runs,
        x: Log::new(range(runs), MARGIN, WIDTH - 2.0 * MARGIN),
        top: top + 22.0 + STEP * named as f64,
    };
    plot.axes(canvas);
    for (at, run) in runs.iter().enumerate() {
        let (stroke, dash) = colour::policy(at);
        canvas.curve(&plot.points(run), stroke, dash);
    }
    plot.names(canvas);
    let bottom = plot.top + HEIGHT;
    canvas.text(WIDTH / 2.0, bottom + 40.0, Ink::NOTE.centered(), "time to first token, logarithmic");
    bottom + 40.0
}

/// From what the first hundredth of a policy's requests took to the longest of all.
fn range(runs: &[Run]) -> (f64, f64) {
    let early = runs.iter().filter_map(|run| latencies(run).nth(run.first_tokens.len() / 100));
    let late = runs.iter().filter_map(|run| latencies(run).next_back());
    match (early.reduce(f64::min), late.reduce(f64::max)) {
        (Some(early), Some(late)) => (early.max(SOONEST), late.max(SOONEST)),
        _ => UNKNOWN,
    }
}

impl Plot<'_> {
    fn axes(&self, canvas: &mut Canvas) {
        let (left, right, bottom) = (MARGIN, WIDTH - MARGIN, self.top + HEIGHT);
        for share in [0.0, 0.25, 0.5, 0.75, 0.9, 1.0] {
            let y = self.y(share);
            canvas.line((left, y), (right, y), GRID, 1.0);
            canvas.text(left - 8.0, y + 4.0, Ink::TICK.ending(), &percent(share, 0));
        }
        for (millis, label) in self.x.ticks() {
            let x = self.x.at(millis);
            canvas.line((x, self.top), (x, bottom), GRID, 1.0);
            canvas.line((x, bottom), (x, bottom + 4.0), AXIS, 1.0);
            canvas.text(x, bottom + 18.0, Ink::TICK.centered(), &label);
        }
        canvas.line((left, bottom), (right, bottom), AXIS, 1.0);
    }

    /// The share of all requests that were answered sooner or then, at places evenly far apart.
    fn points(&self, run: &Run) -> String {
        let sorted: Vec<_> = latencies(run).collect();
        let (Some(first), Some(last)) = (sorted.first(), sorted.last()) else { return String::new() };
        let first = first.max(self.x.from());
        let mut points = String::new();
        for at in 0..POINTS_MAX {
            let millis = match at + 1 {
                POINTS_MAX => *last,
                _ => self.x.between(first, *last, f64::from(at) / f64::from(POINTS_MAX - 1)),
            };
            let within = sorted.partition_point(|latency| *latency <= millis);
            let (x, y) = (self.x.at(millis), self.y(share(within, run)));
            write!(points, "{x:.1},{y:.1} ").expect("a string takes all");
        }
        points.trim_end().to_owned()
    }

    fn names(&self, canvas: &mut Canvas) {
        let mut ends: Vec<_> =
            self.runs.iter().enumerate().filter_map(|(at, run)| Some((at, self.end(run)?))).collect();
        ends.sort_by(|(_, one), (_, other)| one.0.total_cmp(&other.0));
        let mut row = self.top - 14.0;
        for (at, (x, y)) in ends {
            let (fill, _) = colour::policy(at);
            let run = &self.runs[at];
            let label = format!(
                "{} · {} in time · p99 {}",
                clipped(&run.policy),
                percent(run.in_time, 1),
                time(run.p99_ms)
            );
            canvas.line((x, row - 4.0), (x, y), fill, 1.0);
            canvas.dot((x, y), fill);
            let ink = Ink::name(fill);
            // A line that ends far to the left leaves no room before it.
            let ends_at = (x - 7.0).max(MARGIN + ink.width(&label));
            canvas.text(ends_at, row, ink.ending(), &label);
            row -= STEP;
        }
    }

    fn end(&self, run: &Run) -> Option<(f64, f64)> {
        let last = latencies(run).next_back()?;
        Some((self.x.at(last), self.y(share(run.first_tokens.len(), run))))
    }

    fn y(&self, share: f64) -> f64 {
        self.top + HEIGHT * (1.0 - share)
    }
}

/// Which share of all requests these are. Never above 1, even if a report does not add up.
fn share(requests: usize, run: &Run) -> f64 {
    let all = (run.requests as f64).max(run.first_tokens.len() as f64);
    requests as f64 / all.max(1.0)
}
