//! What is a node of the demo?
//!
//! A model server that speaks real HTTP on loopback, and the agent beside it. Both live in a runtime of their own, as
//! both would live on a machine of their own: killing the node drops the runtime, which breaks every open connection
//! and ends the agent's stream in the middle, without a farewell.

pub(super) mod engine;
pub(super) mod server;

use std::{
    collections::BTreeMap,
    io,
    net::{SocketAddr, TcpListener},
    num::NonZeroU32,
    sync::Arc,
    time::Duration,
};

use tokio::runtime::{Builder, Runtime};

use crate::{
    agent,
    config::{AgentConfig, Combine, EngineConfig, MetricMapping, MetricSource, preset::Preset},
    domain::{
        id::NodeId,
        node::{NodeClass, NodeSpec, RequestType},
    },
};
use engine::{Engine, Pace};

/// Longest wait of the agent for the metrics page.
const METRICS_TIMEOUT: Duration = Duration::from_millis(500);

/// A node to be.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    /// Its id.
    pub(super) id: &'static str,
    /// Its class of service.
    pub(super) class: NodeClass,
    /// Waiting requests at which its queue counts as full.
    pub(super) queue_capacity: NonZeroU32,
    /// How fast it is. The service is not told.
    pub(super) pace: Pace,
}

/// A node that runs. Dropping it kills it.
#[derive(Debug)]
pub(super) struct Node {
    /// Its id.
    pub(super) id: &'static str,
    /// Where its model server listens.
    pub(super) address: SocketAddr,
    /// Gone only while it is dropped.
    runtime: Option<Runtime>,
}

impl Node {
    /// Starts the model server, and the agent that reports it to the service at this address.
    pub(super) fn start(plan: &Plan, service: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime =
            Builder::new_multi_thread().worker_threads(1).thread_name(plan.id).enable_all().build()?;
        runtime.spawn(server::serve(listener, Engine::new(plan.pace)));
        runtime.spawn(report(agent_config(plan, address, service)));
        Ok(Self { id: plan.id, address, runtime: Some(runtime) })
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // Waits for nothing: a runtime must not be awaited from within another.
        self.runtime.take().into_iter().for_each(Runtime::shutdown_background);
    }
}

/// Reports until the node is killed.
async fn report(config: AgentConfig) {
    let node = config.node.id.clone();
    if let Err(error) = agent::run(config, std::future::pending()).await {
        tracing::error!(%node, %error, "the agent ended");
    }
}

fn agent_config(plan: &Plan, address: SocketAddr, service: SocketAddr) -> AgentConfig {
    // The page says how busy the slots are; that stands for the load of a GPU.
    let busy = MetricSource {
        name: server::BUSY.into(),
        older_names: Vec::new(),
        labels: BTreeMap::new(),
        scale: 1.0,
        combine: Combine::Max,
    };
    let engine = EngineConfig {
        metrics_url: format!("http://{address}/metrics"),
        timeout: METRICS_TIMEOUT,
        mapping: MetricMapping { gpu: Some(busy), kv_capacity: None, ..Preset::Vllm.mapping() },
        kv_events: None,
    };
    AgentConfig {
        // All nodes share this host: its processor says nothing about any of them.
        host: false,
        engine: Some(engine),
        ..AgentConfig::of(spec(plan, address), format!("http://{service}"))
    }
}

fn spec(plan: &Plan, address: SocketAddr) -> NodeSpec {
    let paths = [
        (RequestType::Text, server::CHAT),
        (RequestType::Image, server::IMAGES),
        (RequestType::Audio, server::TRANSCRIPTIONS),
    ];
    let endpoint = |(kind, path)| (kind, Arc::from(format!("http://{address}{path}")));
    NodeSpec {
        id: NodeId::parse(plan.id).expect("the demo's names are ids"),
        endpoints: paths.map(endpoint).into(),
        models: Vec::new(),
        class: plan.class,
        weight: 1.0,
        labels: BTreeMap::new(),
        queue_capacity: Some(plan.queue_capacity),
        kv_tokens: None,
    }
}

#[cfg(test)]
mod tests;
