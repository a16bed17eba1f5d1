//! What runs in the child processes?

use std::{net::SocketAddr, num::NonZeroU32, sync::Arc, time::Duration};

use pointsman::{
    app,
    config::{Config, LogConfig, Runtime, ServerConfig},
    domain::{
        answer::policy::AnswerPolicy,
        limit::{LimitPolicy, LimitRule, Per, Quota},
        policy::{FreshnessPolicy, LeasePolicy, Policy},
        prefix::PrefixPolicy,
    },
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
/// Agents of a small fleet, in the same way.
pub(crate) const FEW_REPORTERS: &str = "few-reporters=";
/// The service without nodes, with tables so small that they are soon full, and leases so short that they soon end.
pub(crate) const MIXED: &str = "mixed";
/// Nodes of the fleet.
pub(crate) const NODES: usize = 1000;
/// Nodes of the small fleet.
const FEW_NODES: usize = 100;
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
            MIXED => service(mixed()?, 0, 1).await,
            _ => match role.strip_prefix(FEW_REPORTERS) {
                Some(address) => reporters::run(address.parse()?, FEW_NODES).await,
                None => reporters::run(role.trim_start_matches(REPORTERS).parse()?, NODES).await,
            },
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

/// Of each table much less than the load of a minute fills.
fn mixed() -> Result<Policy, Failure> {
    let mut policy = limiting::policy()?;
    // A user's few picks are remembered for some seconds. The tokens of a model would be used up within minutes, and all be
    // rejected from then on.
    let quota = Quota::requests(2.0, NonZeroU32::new(10).ok_or("10 is not 0")?)?;
    let of_users = policy.limits.rules.iter().filter(|rule| rule.per == Per::User);
    policy.limits.rules = of_users.map(|rule| LimitRule { quota, ..rule.clone() }).collect();
    let (ttl, remember) = (Duration::from_secs(5), Duration::from_secs(5));
    Ok(Policy {
        leases: LeasePolicy { ttl, remember, live_max: 50_000, ..policy.leases },
        limits: LimitPolicy { keys_max: 5000, ..policy.limits },
        answers: AnswerPolicy { bytes_max: 8 << 20, ..policy.answers },
        prefixes: PrefixPolicy { bytes_max: 4 << 20, ..policy.prefixes },
        ..policy
    })
}

fn local() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}
