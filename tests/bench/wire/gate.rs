//! Which ratios may not be passed?
//!
//! Ratios and not times: they hold on any machine. The gate stands at what has been reached, with room for a noisy machine, and
//! says how far the goal is.

use super::table::Outcome;

/// A figure of a case that has a bar.
#[derive(Debug, Clone, Copy)]
enum Figure {
    /// Server time of a pick, as a multiple of the empty call's: the less the better.
    Cpu,
    /// Throughput, as a share of the empty call's: the more the better.
    Throughput,
}

/// A bar of one case.
struct Bar {
    case: &'static str,
    figure: Figure,
    /// Past it the build fails.
    gate: f64,
    /// Where it is to be.
    goal: f64,
}

const BARS: [Bar; 6] = [
    Bar { case: "unary_128", figure: Figure::Cpu, gate: 1.3, goal: 1.10 },
    Bar { case: "unary_128", figure: Figure::Throughput, gate: 0.7, goal: 0.85 },
    Bar { case: "unary_128_full", figure: Figure::Cpu, gate: 1.7, goal: 1.18 },
    Bar { case: "unary_128_full", figure: Figure::Throughput, gate: 0.55, goal: 0.85 },
    Bar { case: "stream", figure: Figure::Throughput, gate: 0.20, goal: 0.70 },
    Bar { case: "batch", figure: Figure::Throughput, gate: 0.18, goal: 0.70 },
];

/// Says each bar that was passed.
pub(crate) fn past(outcomes: &[Outcome]) -> Vec<String> {
    let of = |case: &str| outcomes.iter().find(|outcome| outcome.name == case);
    BARS.iter()
        .filter(|bar| of(bar.case).is_some_and(|outcome| bar.is_past(outcome)))
        .map(Bar::said)
        .collect()
}

impl Bar {
    fn is_past(&self, outcome: &Outcome) -> bool {
        match self.figure {
            Figure::Cpu => outcome.cpu_ratio > self.gate,
            Figure::Throughput => outcome.throughput_ratio < self.gate,
        }
    }

    fn said(&self) -> String {
        let Self { case, gate, goal, .. } = self;
        match self.figure {
            Figure::Cpu => format!("{case}: the cpu ratio is over {gate} (the goal is {goal})"),
            Figure::Throughput => {
                format!("{case}: the throughput ratio is under {gate} (the goal is {goal})")
            }
        }
    }
}
