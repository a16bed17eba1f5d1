//! What serves in the child process?
//!
//! All roles on the same kind of runtime: by default one thread, which is what a core gives; it also takes the
//! scheduler's moods out of the ratio. Pointsman is the real service, started as `pointsman serve` starts it.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use pointsman::{
    api::desk::Desk,
    app,
    config::{Config, LogConfig, Runtime, ServerConfig},
    proto::routing_service_server::RoutingServiceServer,
    telemetry,
};
use tokio::{net::TcpListener, runtime::Builder, task::JoinSet};
use tonic::transport::{Server, server::TcpIncoming};

use super::{
    asks::POOLS,
    child::obey,
    fleet, limiting,
    noop::Noop,
    said::{Failure, is_asked},
};

/// The server that does nothing.
pub(crate) const NOOP: &str = "noop";
/// Pointsman with a fleet of one pool.
pub(crate) const BASE: &str = "base";
/// Pointsman with several pools and limits.
pub(crate) const FULL: &str = "full";
/// Nodes of the fleet.
const NODES: usize = 1000;
/// Added to a role for the multi-threaded runtime.
const MULTI: &str = "+multi";

/// What a child is told, so that it runs on the runtime that was asked for.
pub(crate) fn asked_role(role: &str) -> String {
    let suffix = if is_asked("--multi") { MULTI } else { "" };
    format!("{role}{suffix}")
}

/// Serves until nobody asks any more.
pub(crate) fn serve(role: &str) -> Result<(), Failure> {
    let (role, mut builder) = match role.strip_suffix(MULTI) {
        Some(role) => (role, Builder::new_multi_thread()),
        None => (role, Builder::new_current_thread()),
    };
    let runtime = builder.enable_all().build()?;
    let served = runtime.block_on(async { if role == NOOP { noop().await } else { pointsman(role).await } });
    runtime.shutdown_background();
    served
}

async fn noop() -> Result<(), Failure> {
    let listener = TcpListener::bind(local()).await?;
    let address = listener.local_addr()?;
    let connections = TcpIncoming::from(listener).with_nodelay(Some(true));
    let mut tasks = JoinSet::new();
    let service = RoutingServiceServer::new(Noop::new());
    tasks.spawn(Server::builder().add_service(service).serve_with_incoming(connections));
    obey(address, || ()).await
}

async fn pointsman(role: &str) -> Result<(), Failure> {
    let (policy, pools) = if role == FULL { (limiting::policy()?, POOLS) } else { (fleet::policy(), 1) };
    telemetry::start_logs(&LogConfig { filter: "warn".into(), ..LogConfig::default() })?;
    let server = ServerConfig { listen: local(), runtime: Runtime::Shared, ..ServerConfig::default() };
    let config = Config { policy: policy.clone(), server, ..Config::default() };
    let running = app::start(config).await?;
    let desk = Arc::clone(running.desk());
    fleet::fill(&desk.state, &policy, NODES, pools, desk.now())?;
    obey(running.address(), || end_leases(&desk)).await
}

/// Ends every lease as if its time had passed, and forgets it; and with it the lead of its question, of which there may be no
/// more than so many.
fn end_leases(desk: &Desk) {
    let leases = desk.policy().leases;
    let late = desk.now() + leases.ttl_max;
    desk.state.leases.sweep(&leases, late);
    desk.state.leases.sweep(&leases, late + leases.remember + Duration::from_secs(1));
    desk.state.answers.sweep(late);
}

fn local() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}
