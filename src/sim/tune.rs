//! Which weights of the expected cost fit a workload best?
//!
//! A walk along one weight after the other: three times as much and a third are tried beside each, and the best is kept, until
//! a round over all weights changes nothing. The optimum is flat, so that coarse steps find it; finer ones would only
//! fit the chance of one trace. What was found is checked on a part of the trace that the search has not seen.

use super::{
    abreast::abreast,
    figures::Run,
    scenario::{Contestant, Scenario},
    trace::Trace,
};
use crate::domain::policy::{Balance, CostPolicy};

/// Most rounds over all weights.
pub const ROUNDS_MAX: usize = 3;
/// Most runs of a search.
pub const RUNS_MAX: usize = 1 + ROUNDS_MAX * WEIGHTS.len() * FACTORS.len();
/// What each weight is multiplied by.
const FACTORS: [f64; 2] = [1.0 / 3.0, 3.0];
/// A share in time that differs by less is the same.
const SAME_SHARE: f64 = 0.0005;
/// Then a mean latency counts that is shorter by this.
const SHORTER: f64 = 0.99;

/// A weight: its name in configuration, and where it is kept.
pub type Weight = (&'static str, fn(&mut CostPolicy) -> &mut f64);

/// The weights that are searched.
pub const WEIGHTS: [Weight; 5] = [
    ("eviction", |cost| &mut cost.eviction),
    ("batching", |cost| &mut cost.batching),
    ("drag", |cost| &mut cost.drag),
    ("price_max", |cost| &mut cost.price_max),
    ("lateness", |cost| &mut cost.lateness),
];

/// Weights and how they did.
#[derive(Debug, Clone)]
pub struct Trial {
    /// The weights.
    pub cost: CostPolicy,
    /// How they did.
    pub run: Run,
}

impl Scenario {
    /// How these weights do.
    pub fn trial(&self, trace: &Trace, speed: f64, cost: CostPolicy) -> Trial {
        let mut scenario = self.clone();
        scenario.policy.cost = cost;
        Trial { cost, run: scenario.run(trace, speed, Contestant::Policy(Balance::ExpectedCost)) }
    }

    /// The best weights found from those in force on; `step` is called after each run.
    pub fn tuned(&self, trace: &Trace, speed: f64, step: impl Fn() + Sync) -> Trial {
        let run = |cost: &CostPolicy| {
            let trial = self.trial(trace, speed, *cost);
            step();
            trial
        };
        let mut best = run(&self.policy.cost);
        for _ in 0..ROUNDS_MAX {
            let before = best.cost;
            for (_, weight) in WEIGHTS {
                let beside = FACTORS.map(|factor| scaled(best.cost, weight, factor));
                best = abreast(&beside, run).into_iter().fold(best, Trial::better);
            }
            if best.cost == before {
                break;
            }
        }
        best
    }
}

impl Trial {
    /// Whether more is in time than in another, or as much and that sooner.
    pub fn beats(&self, other: &Self) -> bool {
        let gain = self.run.in_time - other.run.in_time;
        gain > SAME_SHARE || (gain > -SAME_SHARE && self.run.mean_ms < SHORTER * other.run.mean_ms)
    }

    fn better(self, other: Self) -> Self {
        if other.beats(&self) { other } else { self }
    }
}

fn scaled(mut cost: CostPolicy, weight: fn(&mut CostPolicy) -> &mut f64, factor: f64) -> CostPolicy {
    let weight = weight(&mut cost);
    // Two digits: whoever reads it is not to take it for exact.
    *weight = two_digits(*weight * factor);
    cost.price_max = cost.price_max.clamp(1.0, 100.0);
    cost
}

fn two_digits(number: f64) -> f64 {
    if number <= 0.0 {
        return 0.0;
    }
    let unit = 10_f64.powf(number.log10().floor() - 1.0);
    // Through text, so that 0.0200…1 becomes 0.02.
    format!("{:.9}", (number / unit).round() * unit).parse().unwrap_or(number)
}

#[cfg(test)]
mod tests;
