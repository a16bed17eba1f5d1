//! Puts the service together, keeps it going, and takes it down: the only file that knows every layer.

use std::{io, net::SocketAddr, sync::Arc};

use thiserror::Error;
use tokio::{net::TcpListener, task::JoinHandle, time::interval};
use tokio_util::sync::CancellationToken;
use tracing::info;

use crate::{
    api::{self, desk::Desk},
    config::Config,
    state::{State, nodes::TableFull},
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
    /// The server ended by itself.
    #[error("the server failed")]
    Serve(#[from] tonic::transport::Error),
    /// A task of the service panicked.
    #[error("a task of the service died")]
    Task(#[from] tokio::task::JoinError),
    /// Signals cannot be received.
    #[error("cannot listen for signals")]
    Signals(#[source] io::Error),
    /// The configuration is wrong.
    #[error(transparent)]
    Config(#[from] crate::config::ConfigError),
}

/// A service that runs.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    desk: Arc<Desk>,
    stop: CancellationToken,
    server: JoinHandle<Result<(), tonic::transport::Error>>,
    sweeper: JoinHandle<()>,
}

/// Starts a service. It answers when this returns.
pub async fn start(config: Config) -> Result<Running, AppError> {
    let address = config.server.listen;
    let listen = |source| AppError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(listen)?;
    let address = listener.local_addr().map_err(listen)?;
    let seed = seed();
    let desk = Arc::new(Desk::new(config.policy, config.server.waiting_max, seed));
    desk.state.nodes.configure(config.nodes, &desk.policy())?;
    let stop = CancellationToken::new();
    let server = api::serve(listener, Arc::clone(&desk), config.server, seed, stop.clone());
    info!(%address, "listening");
    Ok(Running {
        address,
        stop,
        server: tokio::spawn(server),
        sweeper: tokio::spawn(sweep(Arc::clone(&desk))),
        desk,
    })
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
        Ok(ended??)
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

/// Chance begins at a different place in each process: two replicas must not break ties alike.
fn seed() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(std::process::id())
}
