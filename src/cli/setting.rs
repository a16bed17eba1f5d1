//! What do the flags of simulations say of requests, fleet, load and mishaps?

use std::{num::NonZeroUsize, path::PathBuf, time::Duration};

use clap::{Args, ValueEnum};
use humantime::parse_duration;
use indicatif::ProgressBar;

use super::fault::Fault;
use crate::{
    config::Sources,
    domain::policy::{Policy, Refusal},
    sim::{
        faults, fleet,
        scenario::Scenario,
        trace::{Trace, Workload},
    },
};

/// Flags of commands that simulate.
#[derive(Debug, Args)]
pub(crate) struct Setting {
    /// Requests to replay: a file of our own format, Mooncake's or Azure's, plain or gzip'ed.
    #[arg(long, value_name = "FILE", conflicts_with = "workload")]
    trace: Option<PathBuf>,
    /// Requests to draw from published statistics instead.
    #[arg(long, value_enum, default_value_t = Drawn::Chat)]
    workload: Drawn,
    /// How many requests to draw, 1 to 10000000; as many as the workload was published with if absent.
    #[arg(long, value_name = "COUNT", conflicts_with = "trace", value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    requests: Option<u32>,
    /// Nodes of the fleet, 1 to 1024.
    #[arg(long, default_value_t = 8)]
    nodes: usize,
    /// Hardware of the nodes.
    #[arg(long, value_name = "NAME", default_value = "h100x4-70b")]
    hardware: String,
    /// A fleet of mixed hardware: a YAML list of `{hardware, count, kv_tokens}`, by name or as measured.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["nodes", "hardware"])]
    fleet: Option<PathBuf>,
    /// Share of saturation: of the speed at which perfect information still keeps 90 % of first tokens in time.
    #[arg(long, value_name = "SHARE", default_value_t = 0.9, value_parser = share)]
    load: f64,
    /// How many times faster than it was recorded to play the trace, instead of a share of saturation.
    #[arg(long, value_name = "FACTOR", conflicts_with = "load", value_parser = factor)]
    speed: Option<f64>,
    /// Time between a node's reports.
    #[arg(long, value_name = "SPAN", default_value = "100ms", value_parser = parse_duration)]
    report_interval: Duration,
    /// Time until a report arrives.
    #[arg(long, value_name = "SPAN", default_value = "20ms", value_parser = parse_duration)]
    report_delay: Duration,
    /// Deciders that share nothing; requests are dealt to them at random.
    #[arg(long, default_value = "1")]
    replicas: NonZeroUsize,
    /// What goes wrong, such as `node=3,at=500s,for=1000s,kind=slow:3`, or with `dead` or `silent`. May be repeated.
    #[arg(long = "fault", value_name = "FAULT", value_parser = faults::Fault::parse)]
    faults: Vec<faults::Fault>,
    /// Refuse requests that cannot be in time.
    #[arg(long)]
    refuse_late: bool,
    /// Seed of all chance: the same seed gives the same bytes.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Configuration file; its `policy` decides.
    #[arg(long, value_name = "FILE", env = "POINTSMAN_CONFIG")]
    config: Option<PathBuf>,
}

/// Workloads by name.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Drawn {
    /// Conversations with long prompts, in bursts.
    Chat,
    /// Coding agents that send nearly the same long prompt again and again.
    Agents,
    /// Short prompts, very bursty.
    ShortPrompts,
}

impl Setting {
    /// The speed that is asked for, or that at which the load is so much of saturation.
    pub(crate) fn speed(
        &self,
        scenario: &Scenario,
        trace: &Trace,
        progress: &ProgressBar,
    ) -> Result<f64, Fault> {
        if let Some(speed) = self.speed {
            return Ok(speed);
        }
        let found = scenario.saturation(trace, || progress.tick());
        Ok(self.load * found.map_err(|error| Fault::new(error.to_string()))?)
    }

    /// The share of saturation that is asked for; `None` where the speed is.
    pub(crate) fn load_ratio(&self) -> Option<f64> {
        self.speed.is_none().then_some(self.load)
    }

    /// The requests.
    pub(crate) fn trace(&self) -> Result<Trace, Fault> {
        let Some(path) = &self.trace else {
            let workload = match self.workload {
                Drawn::Chat => Workload::Chat,
                Drawn::Agents => Workload::Agents,
                Drawn::ShortPrompts => Workload::ShortPrompts,
            };
            let rows = self.requests.map_or(workload.rows(), |rows| rows as usize);
            return Ok(Trace::generate_rows(workload, rows, self.seed));
        };
        Trace::read(path).map_err(|error| Fault::new(error.to_string()))
    }

    /// What is simulated.
    pub(crate) fn scenario(&self) -> Result<Scenario, Fault> {
        let fleet = match &self.fleet {
            None => fleet::uniform(self.nodes, &self.hardware),
            Some(path) => {
                let text = std::fs::read_to_string(path);
                let unreadable = |error| Fault::new(format!("cannot read {}", path.display())).because(error);
                fleet::parse(&text.map_err(unreadable)?)
            }
        };
        let fleet = fleet.map_err(|error| Fault::new(error.to_string()))?;
        if let Some(fault) = self.faults.iter().find(|fault| fault.node >= fleet.len()) {
            let (node, nodes) = (fault.node, fleet.len());
            return Err(Fault::new(format!(
                "`--fault` names node {node}, but the fleet has {nodes}, from 0 on"
            )));
        }
        Ok(Scenario {
            policy: self.policy_in_force()?,
            fleet,
            report_interval: self.report_interval.max(Duration::from_millis(1)),
            report_delay: self.report_delay,
            replicas: self.replicas.get(),
            faults: self.faults.clone(),
            seed: self.seed,
        })
    }

    fn policy_in_force(&self) -> Result<Policy, Fault> {
        let sources = Sources { file: self.config.clone(), env: std::env::vars().collect(), listen: None };
        let mut policy = sources.load().map_err(|error| Fault::new(error.to_string()))?.policy;
        if self.refuse_late {
            policy.cost.refuse_late = Refusal::Late;
        }
        Ok(policy)
    }
}

fn share(text: &str) -> Result<f64, String> {
    within(text, 0.01, 10.0)
}

fn factor(text: &str) -> Result<f64, String> {
    within(text, 0.001, 100_000.0)
}

fn within(text: &str, least: f64, most: f64) -> Result<f64, String> {
    let number: Option<f64> = text.parse().ok().filter(|number| (least..=most).contains(number));
    number.ok_or_else(|| format!("must be a number from {least} to {most}"))
}
