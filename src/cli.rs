//! The command line: one file a subcommand.

pub mod agent;
pub mod answers;
pub mod check;
pub mod client;
pub mod decide;
pub mod decision;
pub mod demo;
pub mod explain;
pub mod fault;
pub mod healthcheck;
pub mod known;
pub mod limits;
pub mod nodes;
pub mod outcome;
pub mod output;
pub mod pick;
pub mod question;
pub mod ranges;
pub mod report;
pub mod request;
pub mod serve;
mod setting;
pub mod simulate;
pub mod source;
pub mod tune;
pub mod values;
pub mod verdicts;
pub mod version;
pub mod words;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tokio::signal::unix::{SignalKind, signal};

use client::Server;
use fault::Fault;
use output::{Format, Output};

/// Decides, for each request to a large model, where it goes.
#[derive(Debug, Parser)]
#[command(name = "pointsman", version, max_term_width = 100)]
#[command(
    after_help = "Exit status: 0 a decision, a known answer or done, 3 a rejection, 1 anything broken, 2 wrong usage."
)]
pub struct Cli {
    /// How results are printed.
    #[arg(short, long, global = true, value_enum, default_value_t = Format::Human)]
    output: Format,
    #[command(flatten)]
    server: Server,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the service.
    Serve(serve::Serve),
    /// Run beside a model server and report its load.
    Agent(Box<agent::Agent>),
    /// Run a whole fleet in this process and compare policies.
    Demo(demo::Demo),
    /// Replay recorded requests against a simulated fleet and compare policies.
    Simulate(Box<simulate::Simulate>),
    /// Search the weights of the expected cost on recorded requests.
    Tune(Box<tune::Tune>),
    /// Decide for a simulator, line by line, under its clock.
    Decide(decide::Decide),
    /// Ask where a request should go.
    Pick(pick::Pick),
    /// Ask where a request would go and why, without effect.
    Explain(explain::Explain),
    /// Say how a request ended.
    Outcome(outcome::Outcome),
    /// Register a node and report its load by hand.
    Report(Box<report::Report>),
    /// Store, forget and count known answers; `pick` gives them back.
    Answers(answers::Answers),
    /// Show the limits, and how often they refused.
    Limits(limits::Limits),
    /// Show and change the node table.
    Nodes(nodes::Nodes),
    /// Check a configuration, or print its schema.
    Check(check::Check),
    /// Ask a service for its health, for probes.
    Healthcheck(healthcheck::Healthcheck),
    /// Print the version.
    Version(version::Version),
}

/// How a command ended, when it did not break.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// With a decision or a known answer, or what was asked is done.
    Done,
    /// The service said no.
    Rejected,
}

/// Runs the command of this process's arguments.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    let output = Output::new(cli.output);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let ended = match runtime {
        Ok(runtime) => {
            let ended = runtime.block_on(dispatch(cli, &output));
            // What still runs (a connection that will not close) must not hold up the exit.
            runtime.shutdown_background();
            ended
        }
        Err(error) => Err(Fault::new("cannot start the runtime").because(error)),
    };
    match ended {
        Ok(Ending::Done) => ExitCode::SUCCESS,
        Ok(Ending::Rejected) => ExitCode::from(3),
        Err(fault) => {
            output::complain(&fault);
            ExitCode::FAILURE
        }
    }
}

async fn dispatch(cli: Cli, output: &Output) -> Result<Ending, Fault> {
    let server = &cli.server;
    match cli.command {
        Command::Serve(command) => command.run().await,
        Command::Agent(command) => command.run(server).await,
        Command::Demo(command) => command.run(output).await,
        Command::Simulate(command) => command.run(output),
        Command::Tune(command) => command.run(output),
        Command::Decide(command) => command.run(output),
        Command::Pick(command) => command.run(server, output).await,
        Command::Explain(command) => command.run(server, output).await,
        Command::Outcome(command) => command.run(server, output).await,
        Command::Report(command) => command.run(server, output).await,
        Command::Answers(command) => command.run(server, output).await,
        Command::Limits(command) => command.run(server, output).await,
        Command::Nodes(command) => command.run(server, output).await,
        Command::Check(command) => command.run(output),
        Command::Healthcheck(command) => command.run(server, output).await,
        Command::Version(command) => command.run(output),
    }
}

/// Resolves when the process is asked to end, by SIGTERM or Ctrl-C.
pub async fn asked_to_end() {
    let (Ok(mut terminate), Ok(mut interrupt)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}

#[cfg(test)]
mod tests;
