//! `pointsman tune`: which weights of the expected cost fit your requests?

use std::fmt::Write;

use clap::Args;
use serde::Serialize;

use super::{
    Ending,
    fault::Fault,
    output::Output,
    setting::Setting,
    simulate::{progress, words::percent},
};
use crate::{
    domain::policy::CostPolicy,
    sim::{
        figures::Run,
        tune::{RUNS_MAX, Trial, WEIGHTS},
    },
};

/// Share of the trace's time that is searched; what comes after it checks what was found.
const SEARCHED: f64 = 0.667;

/// Flags of `tune`.
#[derive(Debug, Args)]
pub struct Tune {
    #[command(flatten)]
    setting: Setting,
}

/// What the search came to.
#[derive(Debug, Serialize)]
struct Tuning {
    trace: String,
    speed: f64,
    /// Whether the weights that were found also do better on requests that the search has not seen.
    holds: bool,
    /// The weights to use: those found if that holds, else those in force.
    weights: Vec<(&'static str, f64)>,
    searched: Pair,
    held_out: Pair,
}

/// How the weights in force do on a part of the trace, and how those found.
#[derive(Debug, Serialize)]
struct Pair {
    in_force: Figures,
    found: Figures,
}

#[derive(Debug, Serialize)]
struct Figures {
    in_time: f64,
    mean_ms: f64,
    p99_ms: f64,
}

impl Tune {
    /// Searches on the first two thirds of the time, checks on the last.
    pub fn run(self, output: &Output) -> Result<Ending, Fault> {
        let trace = self.setting.trace()?;
        let scenario = self.setting.scenario()?;
        let short =
            || Fault::new("the trace is too short to hold a part of it out").hint("give a longer one");
        let (searched, held_out) = trace.split(SEARCHED).ok_or_else(short)?;
        let progress = progress(RUNS_MAX, "runs");
        let speed = self.setting.speed(&scenario, &searched, &progress)?;
        let found = scenario.tuned(&searched, speed, || progress.inc(1));
        progress.finish_and_clear();
        let in_force = scenario.policy.cost;
        let on = |part, cost| scenario.trial(part, speed, cost);
        let (before, after) = (on(&held_out, in_force), on(&held_out, found.cost));
        let holds = found.cost != in_force && after.beats(&before);
        let tuning = Tuning {
            trace: trace.name.clone(),
            speed,
            holds,
            weights: weights(if holds { found.cost } else { in_force }),
            searched: Pair::of(&on(&searched, in_force), &found),
            held_out: Pair::of(&before, &after),
        };
        output.value(&tuning, told)?;
        Ok(Ending::Done)
    }
}

impl Pair {
    fn of(in_force: &Trial, found: &Trial) -> Self {
        Self { in_force: Figures::of(&in_force.run), found: Figures::of(&found.run) }
    }
}

impl Figures {
    fn of(run: &Run) -> Self {
        Self { in_time: run.in_time, mean_ms: run.mean_ms, p99_ms: run.p99_ms }
    }
}

fn weights(mut cost: CostPolicy) -> Vec<(&'static str, f64)> {
    WEIGHTS.iter().map(|(name, weight)| (*name, *weight(&mut cost))).collect()
}

/// A configuration whose comments say what speaks for it.
fn told(tuning: &Tuning) -> String {
    let mut text =
        format!("# {} at speed {:.2}: in time, mean and p99 of first tokens\n", tuning.trace, tuning.speed);
    for (part, pair) in [("searched", &tuning.searched), ("held out", &tuning.held_out)] {
        for (weights, figures) in [("in force", &pair.in_force), ("found", &pair.found)] {
            let Figures { in_time, mean_ms, p99_ms } = figures;
            let share = percent(*in_time, 2);
            let _ = writeln!(
                text,
                "#   {part}, weights {weights:<8}  {share:>8}  {mean_ms:>7.0} ms  {p99_ms:>7.0} ms"
            );
        }
    }
    text.push_str(if tuning.holds {
        "# What was found holds on requests that the search has not seen:\n"
    } else {
        "# What was found does no better on requests that the search has not seen. Keep what is in force:\n"
    });
    text.push_str("policy:\n  cost:\n");
    for (name, weight) in &tuning.weights {
        let _ = writeln!(text, "    {name}: {weight}");
    }
    text.trim_end().to_owned()
}

#[cfg(test)]
mod tests;
