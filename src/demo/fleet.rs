//! A service and the four nodes that it picks from.

use std::{collections::BTreeMap, net::SocketAddr, num::NonZeroU32, time::Duration};

use tokio::time::{sleep, timeout};

use super::{DemoError, engine::Engine, node::Node};
use crate::{
    app::{self, Running},
    config::{AgentConfig, Combine, Config, EngineConfig, MetricSource, ServerConfig, preset::Preset},
    domain::{
        id::{ModelName, NodeId},
        node::{NodeClass, NodeSpec, RequestType, ServedModel},
        policy::{Balance, Policy},
    },
};

/// The model that all nodes serve.
pub(super) const MODEL: &str = "demo";
/// The node that dies half-way: the slower one of the premium users.
pub(super) const KILLED: &str = "node-2";

/// Requests that a node executes at once.
const SLOTS: u32 = 6;
/// Queue that counts as full: a few seconds of work, so that the queue weighs as much as the slots.
const QUEUE_CAPACITY: u32 = 8;

/// Id, class and relative speed.
const NODES: [(&str, NodeClass, f64); 4] = [
    ("node-1", NodeClass::High, 1.0),
    (KILLED, NodeClass::High, 0.4),
    ("node-3", NodeClass::Normal, 1.0),
    ("node-4", NodeClass::Normal, 0.4),
];

/// A service and its nodes.
#[derive(Debug)]
pub(super) struct Fleet {
    service: Running,
    nodes: BTreeMap<&'static str, Node>,
}

impl Fleet {
    /// Starts everything on free ports of loopback.
    pub(super) async fn start(balance: Balance) -> Result<Self, DemoError> {
        let config = Config {
            policy: Policy { balance, ..Policy::default() },
            server: ServerConfig {
                listen: SocketAddr::from(([127, 0, 0, 1], 0)),
                drain_delay: Duration::ZERO,
                drain_grace: Duration::from_secs(2),
                ..ServerConfig::default()
            },
            ..Config::default()
        };
        let service = app::start(config).await?;
        let mut nodes = BTreeMap::new();
        for (id, class, speed) in NODES {
            let node = Node::start(Engine::new(speed, SLOTS))?;
            node.attend(agent_config(id, class, &node.url(), &format!("http://{}", service.address())));
            nodes.insert(id, node);
        }
        Ok(Self { service, nodes })
    }

    /// Where its service listens.
    pub(super) fn address(&self) -> SocketAddr {
        self.service.address()
    }

    /// Waits until all nodes have registered.
    pub(super) async fn ready(&self) -> Result<(), DemoError> {
        let registered = async {
            while self.service.desk().state.nodes.topology().nodes.len() < NODES.len() {
                sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(Duration::from_secs(10), registered).await.map_err(|_| DemoError::NotReady)
    }

    /// Kills the node that dies half-way.
    pub(super) fn kill(&mut self) {
        if let Some(node) = self.nodes.remove(KILLED) {
            node.kill();
        }
    }

    /// Takes everything down.
    pub(super) async fn stop(mut self) -> Result<(), DemoError> {
        for (_, node) in std::mem::take(&mut self.nodes) {
            node.kill();
        }
        self.service.stop();
        Ok(self.service.ended().await?)
    }

    /// What to try while it is up.
    pub(super) fn invitation(&self) -> String {
        let server = self.address();
        let nodes: Vec<_> = self.nodes.iter().map(|(id, node)| format!("\n  {id}  {}", node.url())).collect();
        let nodes = nodes.concat();
        let url = self.nodes.values().next().map(Node::url).unwrap_or_default();
        format!(
            "The fleet is up until Ctrl-C. The service listens on {server}, the nodes on{nodes}\n\nTry\n  \
             pointsman nodes list --server {server}\n  \
             pointsman explain --type text --model {MODEL} --tier premium --server {server}\n  \
             pointsman pick --type image --model {MODEL} --server {server}\n  \
             curl {url}/metrics"
        )
    }
}

fn agent_config(id: &str, class: NodeClass, url: &str, service: &str) -> AgentConfig {
    let endpoint = |kind, path: &str| (kind, format!("{url}{path}").into());
    let node = NodeSpec {
        id: NodeId::parse(id).expect("the demo's ids are sound"),
        endpoints: BTreeMap::from([
            endpoint(RequestType::Text, "/v1/chat/completions"),
            endpoint(RequestType::Image, "/v1/images/generations"),
            endpoint(RequestType::Audio, "/v1/audio/transcriptions"),
        ]),
        models: vec![ServedModel {
            name: ModelName::parse(MODEL).expect("the demo's names are sound"),
            versions: Vec::new(),
            request_types: Vec::new(),
        }],
        class,
        weight: 1.0,
        labels: BTreeMap::new(),
        queue_capacity: NonZeroU32::new(QUEUE_CAPACITY),
    };
    // The slots in use stand for the GPU. The host is this machine for all of them: it tells nothing.
    let mut mapping = Preset::Vllm.mapping();
    mapping.gpu = Some(MetricSource {
        name: "demo:slot_utilization".into(),
        older_names: Vec::new(),
        labels: BTreeMap::new(),
        scale: 1.0,
        combine: Combine::Max,
    });
    let engine =
        EngineConfig { metrics_url: format!("{url}/metrics"), timeout: Duration::from_secs(1), mapping };
    AgentConfig { host: false, engine: Some(engine), ..AgentConfig::of(node, service.to_owned()) }
}
