//! `pointsman demo`.

use std::time::Duration;

use clap::Args;

use super::{Ending, fault::Fault, output::Output, values::duration};
use crate::demo;

/// Flags of `demo`.
#[derive(Debug, Args)]
pub struct Demo {
    /// How long requests are sent.
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = duration)]
    duration: Duration,
    /// Seed of the arrivals: the same seed sends the same requests.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Keep the fleet up afterwards, to be explored, until Ctrl-C.
    #[arg(long)]
    serve: bool,
}

impl Demo {
    /// Runs the demo, and prints the comparison.
    pub async fn run(self, output: &Output) -> Result<Ending, Fault> {
        let options = demo::Options { duration: self.duration, seed: self.seed, serve: self.serve };
        let summary =
            demo::run(options).await.map_err(|error| Fault::new("the demo broke off").because(error))?;
        // For people it has been told before the fleet was left to be explored.
        if !(self.serve && output.is_human()) {
            output.value(&summary, ToString::to_string)?;
        }
        Ok(Ending::Done)
    }
}
