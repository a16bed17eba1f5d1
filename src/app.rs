//! Puts the service together, keeps it going, and takes it down: the only file that knows every layer.

mod cores;

use std::{io, net::SocketAddr, path::Path, sync::Arc};

use futures_util::future::try_join_all;
use thiserror::Error;
use tokio::{
    net::TcpListener,
    signal::unix::{Signal, SignalKind, signal},
    task::JoinHandle,
    time::interval,
};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use crate::{
    api::{self, Serving, desk::Desk},
    config::{
        Config, ConfigError, Runtime, Sources,
        watch::{Watch, watch},
    },
    state::{State, nodes::TableFull},
    telemetry::{self, LogError},
};

/// Why the service could not start or go on.
#[derive(Debug, Error)]
pub enum AppError {
    /// The address is taken or not ours.
    #[error("cannot listen on {address}; hint: choose another with `--listen`")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The configuration lists more nodes than it allows.
    #[error("cannot take the nodes of the configuration; hint: raise `policy.nodes_max`")]
    Nodes(#[from] TableFull),
    /// A thread of the service cannot start.
    #[error(
        "cannot start a thread that serves; hint: lower `server.threads`, or say `server.runtime: shared`"
    )]
    Thread(#[source] io::Error),
    /// A thread of the service panicked.
    #[error("a thread of the service died")]
    Died,
    /// A task of the service panicked.
    #[error("a task of the service died")]
    Task(#[from] tokio::task::JoinError),
    /// Signals cannot be received.
    #[error("cannot listen for signals")]
    Signals(#[source] io::Error),
    /// The configuration is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The logs could not be started.
    #[error("cannot start the logs")]
    Logs(#[from] LogError),
}

/// A service that runs.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    desk: Arc<Desk>,
    stop: CancellationToken,
    server: Server,
    sweeper: JoinHandle<()>,
}

/// Serves until SIGTERM or SIGINT, then drains. Reloads on SIGHUP and when the file changes; a configuration that
/// is wrong changes nothing.
pub async fn serve(sources: Sources) -> Result<(), AppError> {
    let config = sources.load()?;
    telemetry::start_logs(&config.log)?;
    let mut in_force = config.clone();
    let mut running = start(config).await?;
    let mut signals = Signals::new().map_err(AppError::Signals)?;
    let mut file = sources.file.as_deref().and_then(watched);
    loop {
        tokio::select! {
            ended = running.ended() => return ended,
            _ = signals.terminate.recv() => running.stop(),
            _ = signals.interrupt.recv() => running.stop(),
            _ = signals.hang_up.recv() => reload(&sources, &running, &mut in_force),
            () = changed(&mut file) => reload(&sources, &running, &mut in_force),
        }
    }
}

/// Takes over what has changed, or keeps the last good configuration and says so.
fn reload(sources: &Sources, running: &Running, in_force: &mut Config) {
    let config = match sources.load() {
        Ok(config) => config,
        Err(error) => return error!(%error, "reload refused: the last good configuration stays in force"),
    };
    for key in needing_restart(&config, in_force) {
        warn!("reload: `{key}` has changed and needs a restart");
    }
    match running.reload(config.clone()) {
        // Also then the configured nodes are put back that were removed by hand.
        Ok(()) if config == *in_force => info!("reloaded: the configuration has not changed"),
        Ok(()) => info!("reloaded: the new configuration is in force"),
        Err(error) => return error!(%error, "reload refused: the last good configuration stays in force"),
    }
    *in_force = config;
}

/// What a reload cannot put into force.
fn needing_restart(config: &Config, in_force: &Config) -> Vec<&'static str> {
    let changed = [
        ("server", config.server != in_force.server),
        ("log", config.log != in_force.log),
        ("policy.answers.bytes_max", config.policy.answers.bytes_max != in_force.policy.answers.bytes_max),
    ];
    changed.into_iter().filter(|(_, changed)| *changed).map(|(key, _)| key).collect()
}

/// Watches the configuration file. Without that there is still SIGHUP, so that a failure is no reason not to serve.
fn watched(file: &Path) -> Option<Watch> {
    let failed =
        |error| warn!(%error, file = %file.display(), "cannot watch the configuration: reload by SIGHUP");
    watch(file).map_err(failed).ok()
}

async fn changed(file: &mut Option<Watch>) {
    match file {
        Some(watch) => watch.changed().await,
        None => std::future::pending().await,
    }
}

/// What the system tells the process.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
}

impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }
}

/// Starts a service. It answers when this returns.
#[expect(clippy::disallowed_methods, reason = "`Running::ended` waits for one task and aborts the other")]
pub async fn start(config: Config) -> Result<Running, AppError> {
    let seed = seed();
    let desk = Arc::new(Desk::new(config.policy, config.server.waiting_max, seed, secret()));
    desk.state.nodes.configure(config.nodes, &desk.policy())?;
    let stop = CancellationToken::new();
    let serving = Serving::new(Arc::clone(&desk), config.server, seed, stop.clone());
    let (address, server) = match serving.config.runtime {
        Runtime::PerCore => serve_on_cores(serving).await?,
        Runtime::Shared => serve_here(serving).await?,
    };
    info!(%address, "listening");
    let sweeper = tokio::spawn(sweep(Arc::clone(&desk)));
    Ok(Running { address, desk, stop, server, sweeper })
}

type Server = JoinHandle<Result<(), AppError>>;

#[expect(clippy::disallowed_methods, reason = "`Running::ended` waits for it")]
async fn serve_here(serving: Serving) -> Result<(SocketAddr, Server), AppError> {
    let address = serving.config.listen;
    let listen = |source| AppError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(listen)?;
    let address = listener.local_addr().map_err(listen)?;
    Ok((
        address,
        tokio::spawn(async {
            api::serve(listener, serving).await;
            Ok(())
        }),
    ))
}

#[expect(clippy::disallowed_methods, reason = "`Running::ended` waits for it")]
async fn serve_on_cores(serving: Serving) -> Result<(SocketAddr, Server), AppError> {
    let address = serving.config.listen;
    let listen = |source| AppError::Listen { address, source };
    let listeners = cores::listen(address, cores::count(serving.config.threads)).await.map_err(listen)?;
    let address = listeners.first().map_or(Ok(address), std::net::TcpListener::local_addr).map_err(listen)?;
    let threads = listeners.into_iter().enumerate().map(|(number, listener)| {
        let seed = serving.seed.wrapping_add(number as u64);
        cores::serve(number, listener, Serving { seed, ..serving.clone() }).map_err(AppError::Thread)
    });
    let threads = threads.collect::<Result<Vec<_>, _>>()?;
    Ok((address, tokio::spawn(all(threads))))
}

/// Waits for every thread; one that dies ends the others.
async fn all(threads: Vec<cores::Ended>) -> Result<(), AppError> {
    let ended = threads.into_iter().map(|thread| async { thread.await.map_err(|_panicked| AppError::Died) });
    try_join_all(ended).await.map(drop)
}

impl Running {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it decides.
    pub fn desk(&self) -> &Arc<Desk> {
        &self.desk
    }

    /// Puts what can change while running into force: the policy and the configured nodes.
    pub fn reload(&self, config: Config) -> Result<(), AppError> {
        self.desk.state.nodes.configure(config.nodes, &config.policy)?;
        self.desk.set_policy(config.policy);
        Ok(())
    }

    /// Begins to stop; [`ended`](Self::ended) tells when it has.
    pub fn stop(&self) {
        self.stop.cancel();
    }

    /// Waits until the service has ended, by itself or after [`stop`](Self::stop). Safe to cancel and to call again
    /// until it has returned.
    pub async fn ended(&mut self) -> Result<(), AppError> {
        let ended = (&mut self.server).await;
        self.sweeper.abort();
        ended?
    }
}

/// Whoever drops a service wants it to stop: its threads are nobody else's.
impl Drop for Running {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn sweep(desk: Arc<Desk>) {
    let mut ticks = interval(State::SWEEP_INTERVAL);
    loop {
        ticks.tick().await;
        for node in desk.sweep().forgotten {
            info!(%node, "node forgotten: its agent left long ago");
        }
    }
}

/// What keys are digested with. Drawn anew in each process, and told nobody.
fn secret() -> u128 {
    u128::from(seed()) << 64 | u128::from(seed())
}

/// Chance begins at a different place in each process: two replicas must not break ties alike.
fn seed() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(std::process::id())
}

#[cfg(test)]
mod tests;
