//! Can an agent run on this?

use super::{Checks, nodes};
use crate::{
    config::{
        AdapterSource, AgentConfig, CacheEvents, CapacitySource, EngineConfig, EventSocket, MetricMapping,
        MetricSource,
        raw::agent::{Agent, Engine, KvEvents, Mapping, Metric},
    },
    domain::{
        id::{ModelName, TenantId},
        node::NodeSpec,
    },
};

/// Checks the section `agent`.
pub(super) fn agent(raw: &Agent, checks: &mut Checks) -> Option<AgentConfig> {
    checks.uri("agent.server", &raw.server);
    checks.at_most("agent", ("backoff", raw.backoff), ("backoff_max", raw.backoff_max));
    let node = nodes::node("agent.node", &raw.node, checks);
    let model = node.as_ref().and_then(only_model);
    let engine = raw.engine.as_ref().map(|raw| engine(raw, model, checks));
    Some(AgentConfig {
        server: raw.server.clone(),
        node: node?,
        host: raw.host,
        gpu: raw.gpu,
        engine,
        sample_interval: raw.sample_interval.0,
        sharp_change: raw.sharp_change,
        backoff: raw.backoff.0,
        backoff_max: raw.backoff_max.0,
    })
}

/// The node's model, where it has just one.
fn only_model(node: &NodeSpec) -> Option<&ModelName> {
    let [model] = node.models.as_slice() else { return None };
    Some(&model.name)
}

fn engine(raw: &Engine, model: Option<&ModelName>, checks: &mut Checks) -> EngineConfig {
    checks.uri("agent.engine.metrics_url", &raw.metrics_url);
    let mapping = match (raw.preset, &raw.mapping) {
        (Some(preset), None) => preset.0.mapping(),
        (None, Some(raw)) => mapping(raw, checks),
        (Some(_), Some(_)) => {
            let what = "has `preset` and `mapping`, which say the same thing twice";
            checks.refuse_with("agent.engine", what, "remove one of them");
            MetricMapping::default()
        }
        (None, None) => {
            let what = "has neither `preset` nor `mapping`, so that no metric means anything";
            checks.refuse_with("agent.engine", what, "name the model server, such as `preset: vllm`");
            MetricMapping::default()
        }
    };
    let kv_events = raw.kv_events.as_ref().and_then(|raw| kv_events(raw, model, checks));
    EngineConfig { metrics_url: raw.metrics_url.clone(), timeout: raw.timeout.0, mapping, kv_events }
}

fn kv_events(raw: &KvEvents, model: Option<&ModelName>, checks: &mut Checks) -> Option<CacheEvents> {
    const AT: &str = "agent.engine.kv_events";
    let socket = match (&raw.connect, &raw.bind) {
        (Some(endpoint), None) => Some(EventSocket::Connect(endpoint.clone())),
        (None, Some(endpoint)) => Some(EventSocket::Bind(endpoint.clone())),
        (Some(_), Some(_)) => {
            checks.refuse_with(
                AT,
                "has `connect` and `bind`: only one side opens a connection",
                "remove one of them",
            );
            None
        }
        (None, None) => {
            let hint = "say `connect: tcp://127.0.0.1:5557` where the model server listens there";
            checks.refuse_with(AT, "has neither `connect` nor `bind`", hint);
            None
        }
    };
    for (key, endpoint) in [("connect", &raw.connect), ("bind", &raw.bind)] {
        if let Some(endpoint) = endpoint.as_ref().filter(|endpoint| !is_endpoint(endpoint)) {
            let what = format!("`{endpoint}` is no endpoint");
            checks.refuse_with(&format!("{AT}.{key}"), what, "write `tcp://host:port` or `ipc:///path`");
        }
    }
    let tenant = checks.check(&format!("{AT}.tenant"), TenantId::parse(&raw.tenant));
    let named = checks.check_some(&format!("{AT}.model"), raw.model.as_deref().map(ModelName::parse));
    if raw.model.is_none() && model.is_none() {
        let hint = "name it as picks do, such as `model: llama-3-70b`";
        checks.refuse_with(
            AT,
            "does not say of which model the prompts are, and the node has not just one",
            hint,
        );
    }
    let model = named.or_else(|| model.cloned());
    Some(CacheEvents { socket: socket?, topic: raw.topic.clone(), tenant: tenant?, model: model? })
}

fn is_endpoint(text: &str) -> bool {
    let port = |text: &str| {
        text.rsplit_once(':').is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok())
    };
    text.strip_prefix("tcp://").is_some_and(port)
        || text.strip_prefix("ipc://").is_some_and(|path| !path.is_empty())
}

fn mapping(raw: &Mapping, checks: &mut Checks) -> MetricMapping {
    if *raw == Mapping::default() {
        let hint = "name at least one metric, such as `waiting`";
        checks.refuse_with("agent.engine.mapping", "names no metric", hint);
    }
    MetricMapping {
        running: raw.running.as_ref().map(metric),
        waiting: raw.waiting.as_ref().map(metric),
        kv_cache: raw.kv_cache.as_ref().map(metric),
        gpu: raw.gpu.as_ref().map(metric),
        gpu_memory: raw.gpu_memory.as_ref().map(metric),
        first_token_latency: raw.first_token_latency.as_ref().map(metric),
        adapters: raw
            .adapters
            .as_ref()
            .map(|raw| AdapterSource { name: raw.name.clone(), label: raw.label.clone() }),
        kv_capacity: raw.kv_capacity.as_ref().map(metric).map(CapacitySource::Value),
    }
}

fn metric(raw: &Metric) -> MetricSource {
    MetricSource {
        name: raw.name.clone(),
        older_names: Vec::new(),
        labels: raw.labels.clone(),
        scale: raw.scale,
        combine: raw.combine.0,
    }
}
