//! What does the service do for a fleet? The product's main job in one command.
//!
//! Starts everything that takes part, in one process and over real connections: services (gRPC), model nodes (HTTP
//! servers on loopback that behave like inference servers), an agent beside each node, and a gateway that asks,
//! forwards, reports and retries. Two fleets get the same requests at the same moments and lose the same node; one
//! picks in turn, the other by load. What is compared is what users feel: the time to the first token, and whether
//! an answer comes at all.

mod fleet;
mod gateway;
mod node;
mod progress;
mod rush;
mod table;
mod tally;
mod tour;
mod workload;

use std::{io, time::Duration};

use thiserror::Error;
use tokio::{
    signal::unix::{SignalKind, signal},
    task::{JoinError, JoinSet},
    time::{Instant, sleep_until, timeout_at},
};

use crate::{app::AppError, domain::policy::Balance};
use fleet::{Fleet, VICTIM};
use gateway::{Gateway, Served};
use progress::{Progress, say};
pub use rush::{Rush, Side};
pub use table::Summary;
use tally::{Death, tally};
pub use tally::{Percentiles, Tally};
use workload::Arrival;

/// After the last arrival, requests have so long to be answered; then they count as lost.
const FINISH_TIMEOUT: Duration = Duration::from_secs(8);

/// How to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// How long requests are sent.
    pub duration: Duration,
    /// Seed of the requests: the same seed sends the same ones.
    pub seed: u64,
    /// Whether Pointsman's fleet stays up afterwards, until SIGINT or SIGTERM.
    pub serve: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { duration: Duration::from_secs(30), seed: 1, serve: false }
    }
}

/// Why a run broke off.
#[derive(Debug, Error)]
pub enum DemoError {
    /// A service did not start or failed.
    #[error("a service of the demo failed")]
    Service(#[source] AppError),
    /// A node did not start.
    #[error("cannot start a model node on loopback")]
    Node(#[source] io::Error),
    /// A service is not reached.
    #[error("cannot connect to a service of the demo on loopback")]
    Connect(#[source] tonic::transport::Error),
    /// A service did not answer.
    #[error("a service of the demo did not answer")]
    Call(#[source] Box<tonic::Status>),
    /// The nodes did not come up.
    #[error("the nodes were not ready within {0:?}; hint: run it again when the machine is less busy")]
    NotReady(Duration),
    /// The gateway's HTTP client cannot be made.
    #[error("cannot prepare to forward requests")]
    Forward(#[source] reqwest::Error),
    /// A request's task panicked.
    #[error("a task of the demo died")]
    Task(#[from] JoinError),
    /// Signals cannot be received.
    #[error("cannot listen for signals")]
    Signals(#[source] io::Error),
}

/// Runs the demo, tells its progress on standard error, and returns what it found. With `serve` the result is told
/// there too, before the fleet is left to be explored.
pub async fn run(options: Options) -> Result<Summary, DemoError> {
    let mut round_robin = Fleet::start(Balance::RoundRobin).await?;
    let mut pointsman = Fleet::start(Balance::WeightedLoad).await?;
    let [first, other] = race([&mut round_robin, &mut pointsman], &options).await?;
    round_robin.end().await?;
    let rush = rush::run(options.seed).await?;
    let summary = Summary {
        seed: options.seed,
        duration_seconds: options.duration.as_secs_f64(),
        killed_node: VICTIM,
        killed_after_seconds: half(&options).as_secs_f64(),
        round_robin: first,
        pointsman: other,
        rush,
    };
    if options.serve {
        say(&format!("{summary}\n\n{}", tour::guide(&pointsman)));
        asked_to_end().await?;
    }
    pointsman.end().await?;
    Ok(summary)
}

fn half(options: &Options) -> Duration {
    options.duration / 2
}

/// Sends every request to both fleets, and kills the same node of both half-way.
async fn race(mut fleets: [&mut Fleet; 2], options: &Options) -> Result<[Tally; 2], DemoError> {
    let arrivals = workload::arrivals(options.seed, options.duration);
    let (before, after) = arrivals.split_at(arrivals.partition_point(|arrival| arrival.at < half(options)));
    let mut run = Run::start([&*fleets[0], &*fleets[1]], options, arrivals.len()).await?;
    run.send(before).await;
    sleep_until(run.begin + half(options)).await;
    let death = Death { node: VICTIM, at: Instant::now() };
    for fleet in &mut fleets {
        fleet.kill(VICTIM);
    }
    let seconds = half(options).as_secs();
    run.progress.tell(&format!("{seconds:>4} s  {VICTIM} is killed in both fleets, its agent with it"));
    run.send(after).await;
    let served = run.finish().await?;
    Ok([0, 1].map(|place| tally(fleets[place].balance.name(), &served[place], death)))
}

/// A run in progress.
struct Run {
    begin: Instant,
    /// When a request that is not answered is lost.
    end: Instant,
    gateways: [Gateway; 2],
    requests: [JoinSet<Served>; 2],
    progress: Progress,
}

impl Run {
    async fn start(fleets: [&Fleet; 2], options: &Options, requests: usize) -> Result<Self, DemoError> {
        let gateways = [gateway(fleets[0]).await?, gateway(fleets[1]).await?];
        let seconds = options.duration.as_secs_f64();
        say(&format!(
            "Two fleets of four model nodes get the same {requests} requests over {seconds:.0} s: one picks round \
             robin, the other by load (Pointsman's default)."
        ));
        let begin = Instant::now();
        Ok(Self {
            begin,
            end: begin + options.duration + FINISH_TIMEOUT,
            gateways,
            requests: [JoinSet::new(), JoinSet::new()],
            progress: Progress::of(options.duration),
        })
    }

    /// Sends each request to both fleets when its time has come.
    async fn send(&mut self, arrivals: &[Arrival]) {
        for arrival in arrivals {
            // A sender that is late would otherwise hide the delay that its users feel.
            let arrived = self.begin + arrival.at;
            sleep_until(arrived).await;
            for (gateway, requests) in self.gateways.iter().zip(&mut self.requests) {
                requests.spawn(serve(gateway.clone(), arrival.clone(), arrived, self.end));
            }
            self.progress.advance(arrival.at, arrival.index + 1);
        }
    }

    /// What became of the requests of each fleet.
    async fn finish(self) -> Result<[Vec<Served>; 2], DemoError> {
        let mut served = [Vec::new(), Vec::new()];
        for (mut requests, served) in self.requests.into_iter().zip(&mut served) {
            while let Some(finished) = requests.join_next().await {
                served.push(finished?);
            }
        }
        self.progress.end();
        Ok(served)
    }
}

async fn gateway(fleet: &Fleet) -> Result<Gateway, DemoError> {
    Gateway::new(fleet.connect().await?).map_err(DemoError::Forward)
}

async fn serve(gateway: Gateway, arrival: Arrival, arrived: Instant, end: Instant) -> Served {
    let lost = Served::lost(&arrival);
    timeout_at(end, gateway.serve(arrival, arrived)).await.unwrap_or(lost)
}

async fn asked_to_end() -> Result<(), DemoError> {
    let mut interrupt = signal(SignalKind::interrupt()).map_err(DemoError::Signals)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(DemoError::Signals)?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}
