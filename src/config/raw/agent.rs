//! What may the section `agent` say?

use std::{collections::BTreeMap, time::Duration};

use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    nodes::Node,
    span::{Span, TICK, within},
    word::Word,
};
use crate::{
    config::{AgentConfig, Combine, ServerConfig, preset::Preset},
    domain::id::TenantId,
};

/// Longest span of the agent's own.
const MINUTE: Duration = Duration::from_mins(1);

/// What `pointsman agent` observes and where it reports.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub struct Agent {
    /// Absolute URI of the service, such as `http://127.0.0.1:50051`.
    #[serde(default = "server")]
    pub server: String,
    /// The node that the agent speaks for, as under `nodes`; required.
    #[garde(dive)]
    pub node: Node,
    /// Whether to report the host's processor and memory, `true` or `false`.
    #[serde(default = "host")]
    pub host: bool,
    /// Whether to report the GPUs, `true` or `false`; needs a build with the feature `gpu`.
    #[serde(default)]
    pub gpu: bool,
    /// The model server's own metrics page; without it the host alone is reported.
    #[serde(default)]
    #[garde(dive)]
    pub engine: Option<Engine>,
    /// How often the agent looks, 10ms to 1m.
    #[serde(default = "sample_interval")]
    #[garde(custom(within(Duration::from_millis(10), MINUTE)))]
    pub sample_interval: Span,
    /// Move of a utilization, or of a queue as a fraction of its capacity, that is reported at once, 0 to 1.
    #[serde(default = "sharp_change")]
    #[garde(range(min = 0.0, max = 1.0))]
    pub sharp_change: f64,
    /// Longest pause before the first try to connect again, 1ms to 1m, at most `backoff_max`; doubles with each try.
    #[serde(default = "backoff")]
    #[garde(custom(within(TICK, MINUTE)))]
    pub backoff: Span,
    /// The most that the pause doubles to, 1ms to 1m.
    #[serde(default = "backoff_max")]
    #[garde(custom(within(TICK, MINUTE)))]
    pub backoff_max: Span,
}

fn server() -> String {
    format!("http://{}", ServerConfig::default().listen)
}

fn host() -> bool {
    true
}

fn sample_interval() -> Span {
    Span(AgentConfig::SAMPLE_INTERVAL)
}

fn sharp_change() -> f64 {
    AgentConfig::SHARP_CHANGE
}

fn backoff() -> Span {
    Span(AgentConfig::BACKOFF)
}

fn backoff_max() -> Span {
    Span(AgentConfig::BACKOFF_MAX)
}

/// The model server's metrics page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub struct Engine {
    /// Absolute URL of the page, such as `http://127.0.0.1:8000/metrics`; required.
    pub metrics_url: String,
    /// Longest wait for the page, 1ms to 1m.
    #[serde(default = "timeout")]
    #[garde(custom(within(TICK, MINUTE)))]
    pub timeout: Span,
    /// Model server whose metrics are known; either this or `mapping`.
    #[serde(default)]
    pub preset: Option<Word<Preset>>,
    /// Which metric means what, for a model server that has no preset; either this or `preset`.
    #[serde(default)]
    #[garde(dive)]
    pub mapping: Option<Mapping>,
    /// Where the model server tells what becomes of its key-value cache; vLLM does, over `ZeroMQ`.
    #[serde(default)]
    #[garde(dive)]
    pub kv_events: Option<KvEvents>,
}

/// Where a model server tells what becomes of its key-value cache.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub struct KvEvents {
    /// Endpoint that the model server listens at, such as `tcp://127.0.0.1:5557`; either this or `bind`.
    #[serde(default)]
    pub connect: Option<String>,
    /// Endpoint to listen at where the model server connects to us; either this or `connect`.
    #[serde(default)]
    pub bind: Option<String>,
    /// Beginning of the topics to listen to; empty for all.
    #[serde(default)]
    #[garde(length(max = 256))]
    pub topic: String,
    /// Tenant whose prompts those without a salt are. A salt is taken for the tenant's name; releases of vLLM whose events have
    /// no `extra_keys` tell none, and must serve one tenant.
    #[serde(default = "tenant")]
    pub tenant: String,
    /// Model of the prompts, as picks name it; may be left out where the node has one model.
    #[serde(default)]
    pub model: Option<String>,
}

fn tenant() -> String {
    TenantId::DEFAULT.into()
}

fn timeout() -> Span {
    Span(Duration::from_secs(1))
}

/// Which metric means what.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(default, deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub struct Mapping {
    /// Requests in execution.
    #[garde(dive)]
    pub running: Option<Metric>,
    /// Requests in the queue.
    #[garde(dive)]
    pub waiting: Option<Metric>,
    /// Key-value cache in use, as a fraction once scaled.
    #[garde(dive)]
    pub kv_cache: Option<Metric>,
    /// GPU in use, as a fraction once scaled.
    #[garde(dive)]
    pub gpu: Option<Metric>,
    /// GPU memory in use, as a fraction once scaled.
    #[garde(dive)]
    pub gpu_memory: Option<Metric>,
    /// Histogram or summary of first-token latency, in seconds once scaled.
    #[garde(dive)]
    pub first_token_latency: Option<Metric>,
    /// Metric that names the loaded adapters in one of its labels, comma-separated.
    pub adapters: Option<Adapters>,
    /// Tokens that the key-value cache holds, once scaled.
    #[garde(dive)]
    pub kv_capacity: Option<Metric>,
}

/// One metric of the page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub struct Metric {
    /// Name as the page spells it, colons included; required.
    #[garde(length(min = 1, max = 256))]
    pub name: String,
    /// Labels that a sample must carry to count.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// Factor from the metric's unit to ours, over 0: 0.01 for percent.
    #[serde(default = "scale")]
    #[garde(custom(over_zero))]
    pub scale: f64,
    /// How several samples become one number: `sum`, `max` or `mean`.
    #[serde(default = "combine")]
    pub combine: Word<Combine>,
}

fn scale() -> f64 {
    1.0
}

fn combine() -> Word<Combine> {
    Word(Combine::Sum)
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "garde hands out references")]
fn over_zero(scale: &f64, (): &()) -> garde::Result {
    if scale.is_normal() && *scale > 0.0 { Ok(()) } else { Err(garde::Error::new("not over 0")) }
}

/// Metric whose label lists the loaded adapters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Adapters {
    /// Name of the metric; required.
    pub name: String,
    /// Label that lists the adapters; required.
    pub label: String,
}
