//! How busy was each node, when?
//!
//! A map a policy: nodes are rows, time runs to the right, and all maps have the same scales. Equal neighbours are one
//! stroke, and strokes of a colour one path, which keeps the picture small.

use std::{collections::BTreeMap, fmt::Write as _};

use super::{
    MARGIN, WIDTH,
    canvas::{Canvas, Ink},
    clipped, colour,
    scale::moments,
};
use crate::{
    cli::simulate::words::percent,
    sim::figures::{NodeRun, Run},
};

const COLUMNS_MAX: usize = 240;
const ROWS_MAX: usize = 64;
/// Narrower columns would be a blur.
const COLUMN_WIDTH_MIN: f64 = 2.0;
/// Room for the names of nodes.
const GUTTER: f64 = 66.0;
/// Between two maps side by side.
const GAP: f64 = 26.0;
/// Between a map and the one below it.
const BELOW: f64 = 38.0;
/// Longest run in seconds; any time axis can be told up to here.
const LENGTH_MAX: f64 = 1e12;
const AXIS: &str = "#8c959f";

/// Draws the maps from `top` on, and says where they end.
pub(super) fn draw(canvas: &mut Canvas, top: f64, runs: &[Run]) -> f64 {
    canvas.text(MARGIN, top, Ink::HEADING, "Load of each node over time");
    legend(canvas, top);
    let beside = runs.len().min(2);
    let room = WIDTH - 2.0 * MARGIN;
    let width = if beside < 2 { room } else { (room - GAP) / 2.0 };
    let seconds = runs.iter().map(length).fold(0.0, f64::max);
    let mut y = top + 36.0;
    for (pair, several) in runs.chunks(2).enumerate() {
        let mut below = y;
        for (side, run) in several.iter().enumerate() {
            let left = MARGIN + side as f64 * (width + GAP);
            let map = Map::of(run, 2 * pair + side, (left + GUTTER, y), width - GUTTER, seconds);
            below = below.max(map.draw(canvas));
        }
        y = below + BELOW;
    }
    y - BELOW
}

fn legend(canvas: &mut Canvas, y: f64) {
    const STEP: f64 = 7.0;
    let right = WIDTH - MARGIN;
    let left = right - 40.0 - STEP * colour::LEVELS as f64;
    canvas.text(left - 8.0, y, Ink::TICK.ending(), "share of time spent computing   0 %");
    for level in 0..colour::LEVELS {
        canvas.rect((left + STEP * level as f64, y - 10.0), (STEP, 12.0), &colour::busy(level));
    }
    canvas.text(right, y, Ink::TICK.ending(), "100 %");
}

/// Length of a run in seconds; 0 where it makes no sense.
fn length(run: &Run) -> f64 {
    let seconds = run.span_s * spans_of(run) as f64;
    if (0.0..LENGTH_MAX).contains(&seconds) { seconds } else { 0.0 }
}

fn spans_of(run: &Run) -> usize {
    run.load.iter().map(Vec::len).max().unwrap_or_default()
}

/// A map that knows its place.
struct Map<'a> {
    run: &'a Run,
    /// Place of the run in the report.
    at: usize,
    left: f64,
    top: f64,
    width: f64,
    /// Length of the time axis.
    seconds: f64,
    /// Nodes that one row stands for.
    nodes: usize,
    /// Spans of time that one column stands for.
    spans: usize,
    row_height: f64,
}

impl<'a> Map<'a> {
    fn of(run: &'a Run, at: usize, (left, top): (f64, f64), width: f64, seconds: f64) -> Self {
        let nodes = run.load.len().div_ceil(ROWS_MAX).max(1);
        let rows = run.load.len().div_ceil(nodes).max(1);
        let columns = COLUMNS_MAX.min(columns_in(width));
        let spans = spans_of(run).div_ceil(columns).max(1);
        let row_height = (160.0 / rows as f64).round().clamp(3.0, 18.0);
        Self { run, at, left, top, width, seconds, nodes, spans, row_height }
    }

    fn draw(&self, canvas: &mut Canvas) -> f64 {
        let rows = self.run.load.chunks(self.nodes).count();
        let bottom = self.top + self.row_height * rows as f64;
        self.title(canvas);
        canvas.rect((self.left, self.top), (self.drawn(), bottom - self.top), &colour::busy(0));
        for (level, path) in self.paths() {
            canvas.bars(&path, &colour::busy(level), self.row_height);
        }
        self.node_names(canvas);
        for (seconds, label) in moments(self.seconds) {
            let x = self.left + self.width * (seconds / self.seconds.max(f64::MIN_POSITIVE)).min(1.0);
            canvas.line((x, bottom), (x, bottom + 4.0), AXIS, 1.0);
            canvas.text(x, bottom + 17.0, Ink::TICK.centered(), &label);
        }
        bottom + 18.0
    }

    /// Width of what the run fills of the time axis.
    fn drawn(&self) -> f64 {
        self.width * (length(self.run) / self.seconds.max(f64::MIN_POSITIVE)).min(1.0)
    }

    fn title(&self, canvas: &mut Canvas) {
        let (fill, _) = colour::policy(self.at);
        canvas.text(self.left, self.top - 8.0, Ink::name(fill), &clipped(&self.run.policy));
        let busy = self.run.nodes.iter().map(|node| node.busy);
        if let (Some(least), Some(most)) = (busy.clone().reduce(f64::min), busy.reduce(f64::max)) {
            let text = format!("busy {} to {}", percent(least, 0), percent(most, 0));
            canvas.text(self.left + self.width, self.top - 8.0, Ink::TICK.ending(), &text);
        }
    }

    /// All names where they fit, else the first and the last.
    fn node_names(&self, canvas: &mut Canvas) {
        let rows = self.run.load.chunks(self.nodes).count();
        for row in 0..rows {
            if self.row_height < 11.0 && row > 0 && row + 1 < rows {
                continue;
            }
            let Some(NodeRun { name, .. }) = self.run.nodes.get(row * self.nodes) else { continue };
            let y = self.top + self.row_height * (row as f64 + 0.5) + 4.0;
            let mut short: String = name.chars().take(10).collect();
            if short.len() < name.len() {
                short.push('…');
            }
            canvas.text(self.left - 6.0, y, Ink::TICK.ending(), &short);
        }
    }

    /// For each level of load but the lowest, the strokes of its cells.
    fn paths(&self) -> BTreeMap<usize, String> {
        let mut paths: BTreeMap<usize, String> = BTreeMap::new();
        let column = self.drawn() * self.spans as f64 / spans_of(self.run).max(1) as f64;
        for (row, nodes) in self.run.load.chunks(self.nodes).enumerate() {
            let y = self.top + self.row_height * (row as f64 + 0.5);
            let mut start = 0;
            for equal in self.levels(nodes).chunk_by(|one, other| one == other) {
                let end = start + equal.len();
                let (from, to) = (self.x(start, column), self.x(end, column));
                if equal[0] > 0 && to > from {
                    let path = paths.entry(equal[0]).or_default();
                    write!(path, "M{from:.1} {y:.1}H{to:.1}").expect("a string takes all");
                }
                start = end;
            }
        }
        paths
    }

    /// Where a column begins; no further than the map.
    fn x(&self, at: usize, column: f64) -> f64 {
        self.left + (column * at as f64).min(self.drawn())
    }

    /// The level of each column of a row, which is the mean of its nodes and spans.
    fn levels(&self, nodes: &[Vec<f32>]) -> Vec<usize> {
        let spans = nodes.iter().map(Vec::len).max().unwrap_or_default();
        let mean = |from: usize| {
            let to = (from + self.spans).min(spans);
            let cells = nodes.iter().flat_map(|node| node.get(from..to.min(node.len())).unwrap_or_default());
            let (sum, count) = cells
                .map(|share| f64::from(*share))
                .filter(|share| share.is_finite())
                .fold((0.0, 0_u32), |(sum, count), share| (sum + share, count + 1));
            colour::level(sum / f64::from(count.max(1)))
        };
        (0..spans).step_by(self.spans).map(mean).collect()
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a width is small and above 0")]
fn columns_in(width: f64) -> usize {
    ((width / COLUMN_WIDTH_MIN) as usize).max(1)
}
