//! `pointsman answers`: remembers, forgets and counts answers. `pointsman pick` gives them back.

pub mod purge;
pub mod stats;
pub mod store;

use clap::{Args, Subcommand};

use super::{Ending, client::Server, fault::Fault, output::Output};

/// Flags of `answers`.
#[derive(Debug, Args)]
pub struct Answers {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, Subcommand)]
enum Act {
    /// Remember the answer to a request; `pick` with the same flags gives it back.
    Store(Box<store::Store>),
    /// Forget answers of one tenant; flags that are left out match any.
    Purge(purge::Purge),
    /// Show hits, misses and what became of the answers.
    Stats(stats::Stats),
}

impl Answers {
    /// Does what is asked.
    pub async fn run(self, server: &Server, output: &Output) -> Result<Ending, Fault> {
        match self.act {
            Act::Store(command) => command.run(server, output).await,
            Act::Purge(command) => command.run(server, output).await,
            Act::Stats(command) => command.run(server, output).await,
        }
    }
}

#[cfg(test)]
mod tests;
