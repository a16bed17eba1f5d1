//! What runs in the child processes?

use std::{net::SocketAddr, sync::Arc, time::Duration};

use pointsman::{
    app,
    config::{Config, LogConfig, Runtime, ServerConfig},
    domain::policy::{FreshnessPolicy, Policy},
    proto::routing_service_server::RoutingServiceServer,
    telemetry,
};
use tokio::{net::TcpListener, task::JoinSet};
use tonic::transport::{Server, server::TcpIncoming};

use super::{asks::POOLS, block_on, child::obey, fleet, limiting, noop::Noop, reporters, said::Failure};

/// The server that does nothing.
pub(crate) const NOOP: &str = "noop";
/// The service with a fleet that nobody reports for.
pub(crate) const SERVICE: &str = "service";
/// The service with that fleet in several pools, and with limits.
pub(crate) const FULL: &str = "full";
/// The service without nodes.
pub(crate) const EMPTY: &str = "empty";
/// Agents of a fleet; the address of their service follows.
pub(crate) const REPORTERS: &str = "reporters=";
/// Nodes of the fleet.
pub(crate) const NODES: usize = 1000;
/// More connections than any row opens.
const CONNECTIONS_MAX: usize = 12_000;

/// Plays a role until nobody asks any more.
pub(crate) fn serve(role: &str) -> Result<(), Failure> {
    block_on(async {
        match role {
            NOOP => noop().await,
            SERVICE => service(fleet::policy(), NODES, 1).await,
            FULL => service(limiting::policy()?, NODES, POOLS).await,
            EMPTY => service(fleet::policy(), 0, 1).await,
            _ => reporters::run(role.trim_start_matches(REPORTERS).parse()?).await,
        }
    })
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

async fn service(policy: Policy, nodes: usize, pools: usize) -> Result<(), Failure> {
    telemetry::start_logs(&LogConfig { filter: "warn".into(), ..LogConfig::default() })?;
    let server = ServerConfig {
        listen: local(),
        runtime: Runtime::Shared,
        connections_max: CONNECTIONS_MAX,
        ..ServerConfig::default()
    };
    // Reports hold for as long as a row takes: whether they come or not is all that differs.
    let freshness = FreshnessPolicy { stale_after: Duration::from_hours(1), ..FreshnessPolicy::default() };
    let policy = Policy { freshness, ..policy };
    let running = app::start(Config { policy: policy.clone(), server, ..Config::default() }).await?;
    let desk = Arc::clone(running.desk());
    fleet::fill(&desk.state, &policy, nodes, pools, desk.now())?;
    obey(running.address(), || {
        let leases = desk.policy().leases;
        desk.state.leases.sweep(&leases, desk.now() + leases.ttl_max);
    })
    .await
}

fn local() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}
