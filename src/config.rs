//! What the operator configures: one file, the environment and flags, checked into one value.
//!
//! Flags win over the environment, the environment over the file. No file at all is a working default.

pub mod check;
mod error;
mod key;
pub mod nearest;
mod overlay;
pub mod preset;
pub mod raw;
pub mod read;
pub mod schema;
mod sources;
pub mod tree;
pub mod watch;

use std::{collections::BTreeMap, net::SocketAddr, time::Duration};

pub use self::{
    error::{ConfigError, Place, Problem},
    key::{Key, Step},
    sources::Sources,
};
use crate::domain::{
    id::{ModelName, TenantId},
    node::NodeSpec,
    policy::Policy,
};

/// Everything, checked.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Config {
    /// What decides. Reloads, but for the memory of answers and of prefixes (their `bytes_max`).
    pub policy: Policy,
    /// Nodes without an agent, such as hosted APIs. Reloads.
    pub nodes: Vec<NodeSpec>,
    /// How the service listens. Needs a restart.
    pub server: ServerConfig,
    /// How it logs. Needs a restart.
    pub log: LogConfig,
    /// What `pointsman agent` does; `None` where the file has no such section.
    pub agent: Option<AgentConfig>,
}

/// How the service listens, and its bounds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerConfig {
    /// Address to listen on; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Most open connections; more are closed at once.
    pub connections_max: usize,
    /// Most streams on one connection.
    pub streams_max: u32,
    /// Largest pick, outcome or explanation accepted, in bytes.
    pub pick_bytes_max: usize,
    /// Largest batch of picks accepted, in bytes.
    pub batch_bytes_max: usize,
    /// Largest report of load, or word about nodes or limits, accepted, in bytes.
    pub report_bytes_max: usize,
    /// Largest answer accepted, in bytes.
    pub answer_bytes_max: usize,
    /// Most of one stream's replies that wait to be sent, in bytes; 32 KiB or one longer reply may come on top.
    pub send_buffer_bytes_max: usize,
    /// A connection that has not spoken HTTP/2 for so long is closed.
    pub preface_timeout: Duration,
    /// A connection whose client takes nothing of what it is sent for so long is closed.
    pub write_timeout: Duration,
    /// A connection older than this, and up to a tenth more by chance, is asked to go away; zero lets it stay.
    pub connection_age_max: Duration,
    /// What is in progress on a connection that was asked to go away gets so long to finish.
    pub connection_age_grace: Duration,
    /// A connection silent for so long is pinged.
    pub keepalive_interval: Duration,
    /// A ping unanswered for so long closes the connection.
    pub keepalive_timeout: Duration,
    /// Most picks that wait (`max_wait`) at once.
    pub waiting_max: usize,
    /// What connections are served on.
    pub runtime: Runtime,
    /// Threads of a runtime for each core; 0 means as many as there are cores.
    pub threads: usize,
    /// After SIGTERM, picks are still answered for so long, so that gateways see `NOT_SERVING` and leave.
    pub drain_delay: Duration,
    /// After that, what still runs gets so long to finish.
    pub drain_grace: Duration,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 50051)),
            connections_max: 10_000,
            streams_max: 256,
            pick_bytes_max: 64 * 1024,
            batch_bytes_max: 1024 * 1024,
            report_bytes_max: 256 * 1024,
            answer_bytes_max: 256 * 1024,
            send_buffer_bytes_max: 64 * 1024,
            preface_timeout: Duration::from_secs(5),
            write_timeout: Duration::from_secs(10),
            connection_age_max: Duration::from_mins(30),
            connection_age_grace: Duration::from_secs(70),
            keepalive_interval: Duration::from_secs(10),
            keepalive_timeout: Duration::from_secs(5),
            waiting_max: 10_000,
            runtime: Runtime::PerCore,
            threads: 0,
            drain_delay: Duration::from_secs(3),
            drain_grace: Duration::from_secs(8),
        }
    }
}

/// What connections are served on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Runtime {
    /// A thread with a runtime and a listening socket of its own for each core: the system deals connections out, and none
    /// moves between threads.
    PerCore,
    /// The runtime of the process, whose threads take work from each other.
    Shared,
}

/// How the service logs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogConfig {
    /// Shape of a line.
    pub format: LogFormat,
    /// What is logged, in the syntax of tracing's `EnvFilter`, such as `info,pointsman::api=debug`.
    pub filter: String,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self { format: LogFormat::Text, filter: "info".into() }
    }
}

/// Shape of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// What `pointsman agent` observes and where it reports.
#[derive(Debug, Clone, PartialEq)]
pub struct AgentConfig {
    /// URI of the service, such as `http://127.0.0.1:50051`.
    pub server: String,
    /// The node that it speaks for.
    pub node: NodeSpec,
    /// Whether to report the host's processor and memory.
    pub host: bool,
    /// Whether to report the GPUs (a build with the feature `gpu`).
    pub gpu: bool,
    /// The model server's own metrics page; `None` to report the host alone.
    pub engine: Option<EngineConfig>,
    /// How often it looks.
    pub sample_interval: Duration,
    /// A utilization that moves by this much (a fraction), or a queue that moves by as much of its capacity, is
    /// reported at once.
    pub sharp_change: f64,
    /// Longest pause before the first try to connect again; doubles with each try, drawn at random below it.
    pub backoff: Duration,
    /// The most that it doubles to.
    pub backoff_max: Duration,
}

impl AgentConfig {
    /// How often an agent looks, unless told.
    pub const SAMPLE_INTERVAL: Duration = Duration::from_millis(100);
    /// What an agent reports at once, unless told.
    pub const SHARP_CHANGE: f64 = 0.1;
    /// First pause before an agent connects again, unless told.
    pub const BACKOFF: Duration = Duration::from_millis(100);
    /// Longest pause before an agent connects again, unless told.
    pub const BACKOFF_MAX: Duration = Duration::from_secs(5);

    /// What an agent does that is told only its node and its service.
    pub fn of(node: NodeSpec, server: String) -> Self {
        Self {
            server,
            node,
            host: true,
            gpu: false,
            engine: None,
            sample_interval: Self::SAMPLE_INTERVAL,
            sharp_change: Self::SHARP_CHANGE,
            backoff: Self::BACKOFF,
            backoff_max: Self::BACKOFF_MAX,
        }
    }
}

/// A model server's metrics page and how to read it.
#[derive(Debug, Clone, PartialEq)]
pub struct EngineConfig {
    /// URL of the page, such as `http://127.0.0.1:8000/metrics`.
    pub metrics_url: String,
    /// Longest wait for it.
    pub timeout: Duration,
    /// Which of its metrics mean what.
    pub mapping: MetricMapping,
    /// Where it tells what becomes of its key-value cache; `None` if it does not.
    pub kv_events: Option<CacheEvents>,
}

/// Where a model server tells what becomes of its key-value cache, and whose the prompts are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheEvents {
    /// `ZeroMQ` socket that it publishes on.
    pub socket: EventSocket,
    /// Beginning of the topics to listen to; empty for all.
    pub topic: String,
    /// Tenant of the prompts that have no salt.
    pub tenant: TenantId,
    /// Model, as picks name it.
    pub model: ModelName,
}

/// Which side of a `ZeroMQ` connection opens it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventSocket {
    /// We connect to the model server, which listens at this endpoint.
    Connect(String),
    /// The model server connects to us, who listen at this endpoint.
    Bind(String),
}

/// Which metric means what. `None` where the page does not tell.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct MetricMapping {
    /// Requests in execution.
    pub running: Option<MetricSource>,
    /// Requests in the queue.
    pub waiting: Option<MetricSource>,
    /// Key-value cache in use, as a fraction once scaled.
    pub kv_cache: Option<MetricSource>,
    /// GPU in use, as a fraction once scaled.
    pub gpu: Option<MetricSource>,
    /// GPU memory in use, as a fraction once scaled.
    pub gpu_memory: Option<MetricSource>,
    /// Histogram or summary of first-token latency; the mean over what came since the last look is reported, in
    /// seconds once scaled.
    pub first_token_latency: Option<MetricSource>,
    /// Metric that names the loaded adapters in one of its labels, comma-separated.
    pub adapters: Option<AdapterSource>,
    /// Tokens that the key-value cache holds, once scaled.
    pub kv_capacity: Option<CapacitySource>,
}

/// What tells how many tokens a key-value cache holds.
#[derive(Debug, Clone, PartialEq)]
pub enum CapacitySource {
    /// The metric's value.
    Value(MetricSource),
    /// The product of two of the metric's labels: a number of blocks, and the tokens of each.
    Labels {
        /// Name of the metric.
        name: String,
        /// Its labels.
        labels: [String; 2],
    },
}

/// One metric of a page.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricSource {
    /// Name as the page spells it, colons included.
    pub name: String,
    /// Names that older releases gave it, tried in order where the page lacks the first.
    pub older_names: Vec<String>,
    /// Labels that a sample must carry to count.
    pub labels: BTreeMap<String, String>,
    /// Factor from the metric's unit to ours.
    pub scale: f64,
    /// How several samples become one number.
    pub combine: Combine,
}

/// How several samples of a metric become one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Combine {
    /// Their sum: requests over models or ranks.
    Sum,
    /// The largest: utilizations.
    Max,
    /// The mean.
    Mean,
}

/// A metric whose label lists the loaded adapters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdapterSource {
    /// Name of the metric.
    pub name: String,
    /// Label that lists them.
    pub label: String,
}
