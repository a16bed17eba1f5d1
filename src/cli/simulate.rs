//! `pointsman simulate`: how well would policies have done?

mod chart;
mod json;
mod table;
pub(super) mod words;

#[cfg(test)]
mod fixture;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use super::{
    Ending,
    fault::Fault,
    output::{self, Format},
    setting::Setting,
};
use crate::{
    config::nearest::word_hint,
    domain::policy::Balance,
    sim::{
        abreast::abreast,
        figures::{Report, Run},
        scenario::{Contestant, Scenario},
        trace::Trace,
    },
};

/// Policies that are compared if none is named.
const USUAL: &str =
    "expected_cost,overlap_cost,weighted_scorers,prefix_then_load,least_in_flight,round_robin";

/// Flags of `simulate`.
#[derive(Debug, Args)]
pub struct Simulate {
    #[command(flatten)]
    setting: Setting,
    /// Policies to compare; beside those of the service `perfect` (perfect information) and `pooled` (one wide node).
    #[arg(long, value_name = "NAMES", value_delimiter = ',', default_value = USUAL, value_parser = contestant)]
    policy: Vec<Contestant>,
}

impl Simulate {
    /// Simulates each policy and shows how it did.
    pub fn run(self, output: &output::Output) -> Result<Ending, Fault> {
        let trace = self.setting.trace()?;
        let scenario = self.setting.scenario()?;
        let progress = progress(self.policy.len(), "policies");
        let speed = self.setting.speed(&scenario, &trace, &progress)?;
        let runs = played(&scenario, &trace, speed, &self.policy, &progress);
        progress.finish_and_clear();
        let report = Report {
            trace: trace.name.clone(),
            nodes: u32::try_from(scenario.fleet.len()).unwrap_or(u32::MAX),
            load_ratio: self.setting.load_ratio(),
            speed,
            seed: scenario.seed,
            runs,
        };
        match output.format() {
            Format::Human => output::print(&table::table(&report))?,
            Format::Json => output::print(&json::json(&report)?.to_string())?,
            Format::Svg => output::print(&chart::svg(&report))?,
        }
        Ok(Ending::Done)
    }
}

/// Every run, in the order asked for.
fn played(
    scenario: &Scenario,
    trace: &Trace,
    speed: f64,
    contestants: &[Contestant],
    progress: &ProgressBar,
) -> Vec<Run> {
    abreast(contestants, |contestant| {
        let run = scenario.run(trace, speed, *contestant);
        progress.inc(1);
        run
    })
}

/// A bar on standard error, where that is a terminal.
pub(super) fn progress(runs: usize, what: &str) -> ProgressBar {
    let template = format!("{{elapsed:>4}} {{spinner}} {{wide_bar}} {{pos}} of {{len}} {what}");
    let style = ProgressStyle::with_template(&template);
    let bar = ProgressBar::new(runs as u64);
    style.map(|style| bar.clone().with_style(style)).unwrap_or(bar)
}

fn contestant(name: &str) -> Result<Contestant, String> {
    Contestant::named(name).ok_or_else(|| {
        let mut known = Balance::NAMES.map(|(_, known)| known).to_vec();
        known.extend(["perfect", "pooled"]);
        word_hint(name, &known)
    })
}

#[cfg(test)]
mod tests;
