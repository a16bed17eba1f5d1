//! Do the values fit together? What passes is the configuration.
//!
//! Types and single ranges are checked beside the fields (`raw`); here is what takes more than one field, and the
//! turning into the checked types.

mod agent;
mod nodes;
mod policy;

use std::collections::BTreeMap;

use tracing_subscriber::EnvFilter;

use super::{
    Config, LogConfig, ServerConfig,
    error::Problem,
    key::Key,
    raw::{
        Raw,
        server::{DRAIN_MAX, Log, Server},
        span::Span,
    },
    schema::Schema,
    tree::Tree,
};

/// Checks all and tells all that is wrong.
pub fn config(raw: &Raw, tree: &Tree, schema: &Schema) -> Result<Config, Vec<Problem>> {
    let mut checks = Checks { tree, schema, problems: Vec::new() };
    let policy = policy::policy(&raw.policy, raw.server.answer_bytes_max, &mut checks);
    let nodes = nodes::nodes(&raw.nodes, raw.policy.nodes_max, &mut checks);
    let server = server(&raw.server, &mut checks);
    let log = log(&raw.log, &mut checks);
    let agent = raw.agent.as_ref().map(|raw| agent::agent(raw, &mut checks));
    match (policy, agent) {
        (Some(policy), None) if checks.problems.is_empty() => {
            Ok(Config { policy, nodes, server, log, agent: None })
        }
        (Some(policy), Some(Some(agent))) if checks.problems.is_empty() => {
            Ok(Config { policy, nodes, server, log, agent: Some(agent) })
        }
        _ => Err(checks.problems),
    }
}

/// What was found wrong so far.
struct Checks<'a> {
    tree: &'a Tree,
    schema: &'a Schema,
    problems: Vec<Problem>,
}

impl Checks<'_> {
    /// Notes a problem; the hint is what the key means.
    fn refuse(&mut self, key: &str, what: impl Into<String>) {
        let hint = self.schema.hint(&Key::parse(key));
        self.refuse_with(key, what, hint);
    }

    /// Notes a problem with a hint of its own.
    fn refuse_with(&mut self, key: &str, what: impl Into<String>, hint: impl Into<String>) {
        let key = Key::parse(key);
        let place = self.tree.place(&key);
        self.problems.push(Problem { place, key, what: what.into(), hint: hint.into() });
    }

    /// The value, or a problem.
    fn check<T, E: std::fmt::Display>(&mut self, key: &str, result: Result<T, E>) -> Option<T> {
        result.map_err(|error| self.refuse(key, error.to_string())).ok()
    }

    /// The value, if there is one, or a problem.
    fn check_some<T, E: std::fmt::Display>(&mut self, key: &str, result: Option<Result<T, E>>) -> Option<T> {
        result.and_then(|result| self.check(key, result))
    }

    /// As many entries of the list as are allowed; more are a problem.
    fn bounded<'l, T>(&mut self, key: &str, list: &'l [T], max: usize) -> &'l [T] {
        if list.len() > max {
            let what = format!("lists {} rules, more than {max}", list.len());
            self.refuse_with(key, what, "each request is compared with all of them: list fewer");
        }
        &list[..list.len().min(max)]
    }

    /// Refuses a span longer than another of the same section.
    fn at_most(&mut self, section: &str, (name, span): (&str, Span), (most_name, most): (&str, Span)) {
        if span > most {
            let what = format!("`{span}` is longer than `{section}.{most_name}`, which is `{most}`");
            let hint = format!("lower `{section}.{name}` or raise `{section}.{most_name}`");
            self.refuse_with(&format!("{section}.{name}"), what, hint);
        }
    }

    /// Refuses what is no absolute URI.
    fn uri(&mut self, key: &str, text: &str) -> bool {
        let parsed: Option<tonic::codegen::http::Uri> = text.parse().ok();
        let absolute = parsed.is_some_and(|uri| uri.scheme().is_some() && uri.authority().is_some());
        if !absolute {
            let hint = "write scheme, host and port, such as `http://10.0.0.7:8000`";
            self.refuse_with(key, format!("`{text}` is no absolute URI"), hint);
        }
        absolute
    }
}

fn server(raw: &Server, checks: &mut Checks) -> ServerConfig {
    let drain = raw.drain_delay.0 + raw.drain_grace.0;
    if drain > DRAIN_MAX {
        let (delay, grace, most) = (raw.drain_delay, raw.drain_grace, Span(DRAIN_MAX));
        let what = format!("`drain_delay` {delay} and `drain_grace` {grace} are longer than {most} together");
        let hint =
            "lower one of them: supervisors such as `docker stop` may kill the service before it is done";
        checks.refuse_with("server.drain_grace", what, hint);
    }
    ServerConfig {
        listen: raw.listen,
        connections_max: raw.connections_max,
        streams_max: raw.streams_max,
        pick_bytes_max: raw.pick_bytes_max,
        batch_bytes_max: raw.batch_bytes_max,
        report_bytes_max: raw.report_bytes_max,
        answer_bytes_max: raw.answer_bytes_max,
        send_buffer_bytes_max: raw.send_buffer_bytes_max,
        preface_timeout: raw.preface_timeout.0,
        write_timeout: raw.write_timeout.0,
        connection_age_max: raw.connection_age_max.0,
        connection_age_grace: raw.connection_age_grace.0,
        keepalive_interval: raw.keepalive_interval.0,
        keepalive_timeout: raw.keepalive_timeout.0,
        waiting_max: raw.waiting_max,
        runtime: raw.runtime.0,
        threads: raw.threads,
        drain_delay: raw.drain_delay.0,
        drain_grace: raw.drain_grace.0,
    }
}

fn log(raw: &Log, checks: &mut Checks) -> LogConfig {
    if let Err(error) = EnvFilter::try_new(&raw.filter) {
        checks.refuse("log.filter", format!("`{}` is no filter: {error}", raw.filter));
    }
    LogConfig { format: raw.format.0, filter: raw.filter.clone() }
}

/// Entries that occur again, with the place of the first.
fn repeated<'a>(names: impl Iterator<Item = &'a str>) -> Vec<(usize, usize)> {
    let mut seen = BTreeMap::new();
    let mut repeated = Vec::new();
    for (i, name) in names.enumerate() {
        match seen.get(name) {
            Some(first) => repeated.push((i, *first)),
            None => _ = seen.insert(name, i),
        }
    }
    repeated
}
