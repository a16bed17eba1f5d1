//! What may the sections `server` and `log` say?

use std::{net::SocketAddr, time::Duration};

use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    span::{DAY, Span, TICK, within},
    word::Word,
};
use crate::config::{LogConfig, LogFormat, Runtime, ServerConfig};

/// How the service listens, and its bounds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(default, deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub struct Server {
    /// Address and port to listen on, such as `0.0.0.0:50051`; port 0 takes a free one.
    #[schemars(with = "String")]
    pub listen: SocketAddr,
    /// Most open connections, 1 to 1000000; more are closed at once.
    #[garde(range(min = 1, max = 1_000_000))]
    pub connections_max: usize,
    /// Most streams on one connection, 1 to 100000.
    #[garde(range(min = 1, max = 100_000))]
    pub streams_max: u32,
    /// Largest pick, outcome or explanation accepted, in bytes, 1024 to 67108864; a canonical request counts.
    #[garde(range(min = 1024, max = 67_108_864))]
    pub pick_bytes_max: usize,
    /// Largest batch of picks accepted, in bytes, 1024 to 67108864.
    #[garde(range(min = 1024, max = 67_108_864))]
    pub batch_bytes_max: usize,
    /// Largest report of load, or word about nodes or limits, accepted, in bytes, 1024 to 67108864.
    #[garde(range(min = 1024, max = 67_108_864))]
    pub report_bytes_max: usize,
    /// Largest answer accepted, in bytes, 1024 to 67108864; a canonical request counts.
    #[garde(range(min = 1024, max = 67_108_864))]
    pub answer_bytes_max: usize,
    /// Most of one stream's replies that wait to be sent, in bytes, 4096 to 16777216; 32 KiB or one longer reply may come on top.
    #[garde(range(min = 4096, max = 16_777_216))]
    pub send_buffer_bytes_max: usize,
    /// A connection that has not spoken HTTP/2 for so long is closed, 1ms to 1day.
    #[garde(custom(within(TICK, DAY)))]
    pub preface_timeout: Span,
    /// A connection whose client takes nothing of what it is sent for so long is closed, 1ms to 1day.
    #[garde(custom(within(TICK, DAY)))]
    pub write_timeout: Span,
    /// A connection older than this, and up to a tenth more by chance, is asked to go away, 0s to 1day; 0s lets it stay.
    #[garde(custom(within(Duration::ZERO, DAY)))]
    pub connection_age_max: Span,
    /// What is in progress on a connection that was asked to go away gets so long to finish, 0s to 1day.
    #[garde(custom(within(Duration::ZERO, DAY)))]
    pub connection_age_grace: Span,
    /// A connection silent for so long is pinged, 1s to 1day.
    #[garde(custom(within(Duration::from_secs(1), DAY)))]
    pub keepalive_interval: Span,
    /// A ping unanswered for so long closes the connection, 1ms to 1day.
    #[garde(custom(within(TICK, DAY)))]
    pub keepalive_timeout: Span,
    /// Most picks that wait (`max_wait`) at once, 0 to 1000000; 0 lets none wait.
    #[garde(range(max = 1_000_000))]
    pub waiting_max: usize,
    /// What connections are served on: `per_core` gives each core a thread and a listening socket of its own, `shared` lets
    /// threads take work from each other, which evens out a few busy connections.
    pub runtime: Word<Runtime>,
    /// Threads for `per_core`, 0 to 1024; 0 means as many as there are cores.
    #[garde(range(max = 1024))]
    pub threads: usize,
    /// How long picks are still answered after SIGTERM, so that gateways see `NOT_SERVING` and leave; with `drain_grace` at most 14s.
    #[garde(custom(within(Duration::ZERO, DRAIN_MAX)))]
    pub drain_delay: Span,
    /// How long what still runs gets to finish after that; with `drain_delay` at most 14s.
    #[garde(custom(within(Duration::ZERO, DRAIN_MAX)))]
    pub drain_grace: Span,
}

/// Longest time from SIGTERM to the end: supervisors kill after 15 s, some of them, and a second is left for the exit.
pub const DRAIN_MAX: Duration = Duration::from_secs(14);

impl Default for Server {
    fn default() -> Self {
        let server = ServerConfig::default();
        Self {
            listen: server.listen,
            connections_max: server.connections_max,
            streams_max: server.streams_max,
            pick_bytes_max: server.pick_bytes_max,
            batch_bytes_max: server.batch_bytes_max,
            report_bytes_max: server.report_bytes_max,
            answer_bytes_max: server.answer_bytes_max,
            send_buffer_bytes_max: server.send_buffer_bytes_max,
            preface_timeout: Span(server.preface_timeout),
            write_timeout: Span(server.write_timeout),
            connection_age_max: Span(server.connection_age_max),
            connection_age_grace: Span(server.connection_age_grace),
            keepalive_interval: Span(server.keepalive_interval),
            keepalive_timeout: Span(server.keepalive_timeout),
            waiting_max: server.waiting_max,
            runtime: Word(server.runtime),
            threads: server.threads,
            drain_delay: Span(server.drain_delay),
            drain_grace: Span(server.drain_grace),
        }
    }
}

/// How the service logs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// Shape of a line: `text` for people, `json` for machines.
    pub format: Word<LogFormat>,
    /// What is logged, as tracing's `EnvFilter` has it, such as `info,pointsman::api=debug`.
    pub filter: String,
}

impl Default for Log {
    fn default() -> Self {
        let log = LogConfig::default();
        Self { format: Word(log.format), filter: log.filter }
    }
}
