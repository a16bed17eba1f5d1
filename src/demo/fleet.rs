//! Which nodes are compared, and under which policy?
//!
//! Each rival is a service of its own with four nodes of its own. The two fleets differ in one word of configuration:
//! `policy.balance`. In each class there is a fast node and one three times slower; nobody tells the service which.

use std::{net::SocketAddr, num::NonZeroU32, time::Duration};

use tokio::time::{Instant, sleep};
use tonic::transport::Channel;

use super::{
    DemoError,
    node::{Node, Plan, engine::Pace},
};
use crate::{
    app::{self, Running},
    config::{Config, ServerConfig},
    domain::{
        node::NodeClass,
        policy::{Balance, LoadPolicy, Policy, Spill, SpillPolicy},
    },
    proto::{ListNodesRequest, NodeState, node_service_client::NodeServiceClient},
};

/// The node that is killed. Of the slower ones, so that the other of its class can carry all free users.
pub(super) const VICTIM: &str = "normal-slow";

/// How many times slower the slow nodes are.
const SLOWDOWN: f64 = 3.0;
/// Small, since a node has 8 slots: at the default of 100 a queue that doubles everybody's wait would weigh next to
/// nothing.
const QUEUE_CAPACITY: NonZeroU32 = NonZeroU32::new(12).expect("12 is not 0");
/// What a fast node does.
const FAST: Pace = Pace {
    slots: 8,
    prefill: Duration::from_micros(50),
    decode: Duration::from_millis(2),
    crowding: 0.05,
    image: Duration::from_millis(250),
    speech: Duration::from_millis(12),
    cache_tokens: 20_000,
};
/// The fleet must be up within this.
const READY_TIMEOUT: Duration = Duration::from_secs(10);

/// A service and its nodes.
#[derive(Debug)]
pub(super) struct Fleet {
    /// How it picks.
    pub(super) balance: Balance,
    service: Running,
    nodes: Vec<Node>,
}

/// The nodes of each fleet.
pub(super) fn plans() -> [Plan; 4] {
    let plan = |id, class, pace| Plan { id, class, queue_capacity: QUEUE_CAPACITY, pace };
    [
        plan("high-fast", NodeClass::High, FAST),
        plan("high-slow", NodeClass::High, FAST.slowed(SLOWDOWN)),
        plan("normal-fast", NodeClass::Normal, FAST),
        plan(VICTIM, NodeClass::Normal, FAST.slowed(SLOWDOWN)),
    ]
}

/// The nodes of the rush: all of one class, so that who pays and who does not meet on them.
fn rush_plans() -> [Plan; 2] {
    ["rush-1", "rush-2"].map(|id| Plan {
        id,
        class: NodeClass::High,
        queue_capacity: QUEUE_CAPACITY,
        pace: FAST.slowed(SLOWDOWN),
    })
}

/// The nodes of the demo tell no memory, which would keep a full pool at a load of 70.
fn rush_policy() -> Policy {
    Policy {
        load: LoadPolicy { cpu: 0.7, memory: 0.0, ..LoadPolicy::default() },
        spill: SpillPolicy { when: Spill::WhenEmpty, ..SpillPolicy::default() },
        ..Policy::default()
    }
}

impl Fleet {
    /// Starts a service and its nodes; returns when the service can pick each of them.
    pub(super) async fn start(balance: Balance) -> Result<Self, DemoError> {
        Self::start_with(Policy { balance, ..Policy::default() }, plans()).await
    }

    /// Starts a service that knows no limits and never degrades, for the rush.
    pub(super) async fn start_plain() -> Result<Self, DemoError> {
        let mut policy = rush_policy();
        policy.limits.rules = [].into();
        policy.degradation.thresholds.busy.enter = f64::INFINITY;
        policy.degradation.thresholds.overloaded.enter = f64::INFINITY;
        Self::start_with(policy, rush_plans()).await
    }

    /// Starts a service that limits and degrades as it does by default, for the rush.
    pub(super) async fn start_full() -> Result<Self, DemoError> {
        Self::start_with(rush_policy(), rush_plans()).await
    }

    async fn start_with(policy: Policy, plans: impl IntoIterator<Item = Plan>) -> Result<Self, DemoError> {
        let balance = policy.balance;
        let service = app::start(config(policy)).await.map_err(DemoError::Service)?;
        let start = |plan: Plan| Node::start(&plan, service.address());
        let nodes: Result<_, _> = plans.into_iter().map(start).collect();
        let fleet = Self { balance, nodes: nodes.map_err(DemoError::Node)?, service };
        fleet.ready().await?;
        Ok(fleet)
    }

    /// Where the service listens.
    pub(super) fn service(&self) -> SocketAddr {
        self.service.address()
    }

    /// A connection to the service.
    pub(super) async fn connect(&self) -> Result<Channel, DemoError> {
        let uri = format!("http://{}", self.service());
        let endpoint = Channel::from_shared(uri).expect("a socket address makes a URI");
        endpoint.connect().await.map_err(DemoError::Connect)
    }

    /// The nodes that run, by id, and where their model servers listen.
    pub(super) fn addresses(&self) -> impl Iterator<Item = (&'static str, SocketAddr)> {
        self.nodes.iter().map(|node| (node.id, node.address))
    }

    /// Kills a node and its agent, without a farewell.
    pub(super) fn kill(&mut self, id: &str) {
        self.nodes.retain(|node| node.id != id);
    }

    /// Takes everything down.
    pub(super) async fn end(mut self) -> Result<(), DemoError> {
        self.nodes.clear();
        self.service.stop();
        self.service.ended().await.map_err(DemoError::Service)
    }

    async fn ready(&self) -> Result<(), DemoError> {
        let mut client = NodeServiceClient::new(self.connect().await?);
        let begin = Instant::now();
        while begin.elapsed() < READY_TIMEOUT {
            let listed = client.list_nodes(ListNodesRequest::default()).await;
            let nodes = listed.map_err(|status| DemoError::Call(Box::new(status)))?.into_inner().nodes;
            let ready = nodes.iter().filter(|node| node.load.is_some() && node.state() == NodeState::Ready);
            if ready.count() == self.nodes.len() {
                return Ok(());
            }
            sleep(Duration::from_millis(20)).await;
        }
        Err(DemoError::NotReady(READY_TIMEOUT))
    }
}

/// The defaults, but for the policy that is compared. Nobody is served any more when the demo stops its services, so
/// they need not wait for gateways to leave.
fn config(policy: Policy) -> Config {
    let server = ServerConfig {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        drain_delay: Duration::ZERO,
        drain_grace: Duration::from_secs(1),
        ..ServerConfig::default()
    };
    Config { policy, server, ..Config::default() }
}
