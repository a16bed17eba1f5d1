//! The main job in one process: a service, four model nodes, their agents and a gateway, twice, side by side.
//!
//! Two fleets that are alike get the same requests at the same moments and lose the same node. One is picked for by
//! `round_robin`, the other by `weighted_load`; all else, the failover too, is the same service.

mod engine;
mod fleet;
mod gateway;
mod node;
mod progress;
mod tally;
mod workload;

use std::time::Duration;

use thiserror::Error;
use tokio::{
    task::JoinSet,
    time::{Instant, sleep_until},
};

use crate::{app::AppError, domain::policy::Balance};
use fleet::{Fleet, KILLED};
use gateway::{Gateway, Served};
use progress::Progress;
pub use tally::{Column, Summary, TierLatency};
use workload::Workload;

/// How long requests may take to end after the last one was sent.
const PATIENCE: Duration = Duration::from_secs(10);

/// What to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// How long requests are sent.
    pub duration: Duration,
    /// Seed of the arrivals: the same seed sends the same requests.
    pub seed: u64,
    /// Whether to keep the fleet up afterwards, until the process is asked to end.
    pub serve: bool,
}

/// Why the demo broke off.
#[derive(Debug, Error)]
pub enum DemoError {
    /// A service could not start.
    #[error("cannot start the service")]
    Service(#[from] AppError),
    /// A node could not start.
    #[error("cannot start a model node")]
    Node(#[from] std::io::Error),
    /// A gateway could not reach its service.
    #[error("cannot reach the service")]
    Gateway(#[from] tonic::transport::Error),
    /// The agents did not register in time.
    #[error("the nodes did not register in time; hint: is the machine very busy?")]
    NotReady,
}

/// Runs both fleets and compares them. With `serve`, returns only when the process is asked to end.
pub async fn run(options: Options) -> Result<Summary, DemoError> {
    let mut fleets = [Fleet::start(Balance::RoundRobin).await?, Fleet::start(Balance::WeightedLoad).await?];
    for fleet in &fleets {
        fleet.ready().await?;
    }
    let [plain, pointsman] = [Gateway::connect(&fleets[0]).await?, Gateway::connect(&fleets[1]).await?];
    let played = play(options, &mut fleets, [&plain, &pointsman]).await;
    let summary = Summary::of(options.duration, played.killed, played.served.each_ref());
    let [round_robin, kept] = fleets;
    round_robin.stop().await?;
    if options.serve {
        progress::say(&format!("{summary}\n\n{}", kept.invitation()));
        asked_to_end().await;
    }
    kept.stop().await?;
    Ok(summary)
}

/// What came of a run: for each fleet, in the order of the fleets, how each request went.
struct Played {
    killed: Instant,
    served: [Vec<Served>; 2],
}

async fn play(options: Options, fleets: &mut [Fleet; 2], gateways: [&Gateway; 2]) -> Played {
    let start = Instant::now();
    let mut running: [JoinSet<Served>; 2] = [JoinSet::new(), JoinSet::new()];
    let progress = Progress::start(options.duration);
    let half = options.duration / 2;
    let mut killed = None;
    for (number, arrival) in Workload::new(options.seed).until(options.duration).enumerate() {
        if killed.is_none() && arrival.at >= half {
            sleep_until(start + half).await;
            fleets.iter_mut().for_each(Fleet::kill);
            killed = Some(Instant::now());
            progress.say(&format!("{KILLED} was killed in both fleets"));
        }
        sleep_until(start + arrival.at).await;
        progress.sent(number + 1, start.elapsed());
        for (gateway, running) in gateways.iter().zip(&mut running) {
            running.spawn((*gateway).clone().serve(number, arrival));
        }
    }
    progress.done();
    let [a, b] = running;
    let (a, b) = tokio::join!(ended(a), ended(b));
    Played { killed: killed.unwrap_or(start), served: [a, b] }
}

/// How all requests went; those that are still running when patience ends are lost.
async fn ended(mut running: JoinSet<Served>) -> Vec<Served> {
    let deadline = Instant::now() + PATIENCE;
    let mut served = Vec::with_capacity(running.len());
    while let Ok(Some(ended)) = tokio::time::timeout_at(deadline, running.join_next()).await {
        served.push(ended.unwrap_or_else(|_| Served::lost()));
    }
    served.extend((0..running.len()).map(|_| Served::lost()));
    served
}

/// Resolves at Ctrl-C or SIGTERM.
async fn asked_to_end() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else { return };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}
