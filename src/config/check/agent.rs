//! Can an agent run on this?

use super::{Checks, nodes};
use crate::config::{
    AdapterSource, AgentConfig, EngineConfig, MetricMapping, MetricSource,
    raw::agent::{Agent, Engine, Mapping, Metric},
};

/// Checks the section `agent`.
pub(super) fn agent(raw: &Agent, checks: &mut Checks) -> Option<AgentConfig> {
    checks.uri("agent.server", &raw.server);
    checks.at_most("agent", ("backoff", raw.backoff), ("backoff_max", raw.backoff_max));
    let node = nodes::node("agent.node", &raw.node, checks);
    let engine = raw.engine.as_ref().map(|raw| engine(raw, checks));
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

fn engine(raw: &Engine, checks: &mut Checks) -> EngineConfig {
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
    EngineConfig { metrics_url: raw.metrics_url.clone(), timeout: raw.timeout.0, mapping }
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
