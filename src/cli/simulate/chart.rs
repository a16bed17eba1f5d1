//! What does one see of a simulation?
//!
//! One picture, as SVG that needs nothing but itself: above, how many requests had their first token how soon, a line a
//! policy; below, how busy each node was over time, a map a policy. The same report gives the same bytes, and their
//! number is bounded: 200 points a line, 240 columns and 64 rows a map, 12 policies.

mod canvas;
mod colour;
mod curves;
mod heat;
mod scale;

use self::canvas::{Canvas, Ink};
use super::words::{grouped, setting};
use crate::sim::figures::{Report, Run};

/// Width of the picture, in the units of all lengths here: pixels at its natural size.
const WIDTH: f64 = 1000.0;
/// What is left free at the sides.
const MARGIN: f64 = 64.0;
/// Most policies that are drawn; more could not be told apart.
const POLICIES_MAX: usize = 12;
/// Longest name that is written out.
const NAME_MAX: usize = 28;

/// Draws the report.
pub(crate) fn svg(report: &Report) -> String {
    let runs = &report.runs[..report.runs.len().min(POLICIES_MAX)];
    let mut canvas = Canvas::new(WIDTH);
    canvas.text(MARGIN, 44.0, Ink::TITLE, &clipped(&report.trace));
    canvas.text(MARGIN, 66.0, Ink::NOTE, &subtitle(report));
    let below = curves::draw(&mut canvas, 104.0, runs);
    let below = heat::draw(&mut canvas, below + 46.0, runs);
    canvas.finish(below + 28.0, &format!("{}: {}", report.trace, setting(report)))
}

fn subtitle(report: &Report) -> String {
    let requests = report.runs.iter().map(|run| run.requests).max().unwrap_or_default();
    let more = match report.runs.len().saturating_sub(POLICIES_MAX) {
        0 => String::new(),
        more => format!(" · {more} more policies are not drawn"),
    };
    format!("{} · {} requests{more}", setting(report), grouped(requests as f64))
}

/// A name, shortened if it would leave its place.
fn clipped(name: &str) -> String {
    if name.chars().count() <= NAME_MAX {
        return name.to_owned();
    }
    name.chars().take(NAME_MAX - 1).chain(['…']).collect()
}

/// The latencies that can be drawn, in milliseconds, sorted.
fn latencies(run: &Run) -> impl DoubleEndedIterator<Item = f64> + Clone {
    run.first_tokens.iter().map(|millis| f64::from(*millis)).filter(|millis| millis.is_finite())
}

#[cfg(test)]
mod tests;
