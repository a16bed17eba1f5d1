use std::{fs, net::SocketAddr, path::Path, time::Duration};

use proptest::prelude::*;

use super::{Sources, Tree};
use crate::{
    config::{Config, ConfigError, LogFormat, ServerConfig},
    domain::{
        node::{NodeClass, RequestType},
        policy::{Balance, Policy},
    },
};

const EXAMPLE: &str = include_str!("../../../docker/pointsman.yaml");

fn load(yaml: &str, env: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let env = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let sources = Sources { env, ..Sources::default() };
    let tree = Tree::parse(Path::new("p.yaml"), yaml).map_err(|problem| ConfigError::Wrong(vec![problem]))?;
    sources.over(tree)
}

fn loaded(yaml: &str) -> Config {
    load(yaml, &[]).unwrap_or_else(|error| panic!("{error}"))
}

fn refused(yaml: &str, env: &[(&str, &str)]) -> String {
    match load(yaml, env) {
        Ok(_) => format!("accepted: {yaml}"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn without_sources_the_defaults_are_those_of_the_domain() {
    let config = Sources::default().load().expect("the defaults are valid");
    assert_eq!(config, Config::default());
    assert_eq!(config.policy, Policy::default());
    assert_eq!(config.server, ServerConfig::default());
}

#[test]
fn empty_files_and_empty_sections_are_the_defaults() {
    for yaml in ["", "# nothing\n", "---\n", "{}", "policy:\nnodes:\n", "policy:\n  load:\n    # cpu: 1\nlog: {}\n"] {
        assert_eq!(loaded(yaml), Config::default(), "{yaml}");
    }
}

#[test]
fn the_example_states_every_default() {
    assert_eq!(loaded(EXAMPLE), Config::default());
}

/// The example with its commented keys in force. A comment that is prose begins with one space.
fn uncommented() -> String {
    let line = |line: &str| match line.strip_prefix('#') {
        Some(key) if !key.starts_with(' ') || key.starts_with("  ") => format!("{key}\n"),
        _ => format!("{}\n", line.replace("nodes: []", "nodes:")),
    };
    EXAMPLE.lines().map(line).collect()
}

#[test]
fn what_the_example_comments_out_is_valid_too() {
    let config = loaded(&uncommented());
    let node = &config.nodes[0];
    assert_eq!((node.id.as_str(), node.class, node.models.len()), ("hosted-1", NodeClass::Normal, 2));
    assert_eq!(node.models[1].request_types, [RequestType::Audio]);
    let stated = config.agent.expect("the example has an agent");
    let short = "agent:\n  node: {id: gpu-1, endpoints: {text: 'http://10.0.0.7:8000'}}\n  engine: \
                 {metrics_url: 'http://127.0.0.1:8000/metrics', preset: vllm}\n";
    assert_eq!(Some(stated), loaded(short).agent, "the example states the agent's defaults");
}

#[test]
fn the_example_names_every_key() {
    let (text, schema) = (uncommented(), crate::config::schema::schema());
    let mut keys = Vec::new();
    collect(&schema, &mut keys);
    for key in keys {
        assert!(text.contains(&format!("{key}:")) || text.contains(&format!("`{key}`")), "{key}");
    }
}

fn collect(schema: &serde_json::Value, keys: &mut Vec<String>) {
    if let Some(known) = schema["properties"].as_object() {
        for (name, below) in known {
            keys.push(name.clone());
            // What stands below a mapping of metrics depends on the model server.
            if name != "mapping" {
                collect(below, keys);
            }
        }
    }
    if schema["items"].is_object() {
        collect(&schema["items"], keys);
    }
    for alternative in schema["anyOf"].as_array().into_iter().flatten() {
        collect(alternative, keys);
    }
}

#[test]
fn dbg() {
    for (y, e) in [
        ("policy:\n  load:\n    cpu: -1\n", vec![]),
        ("policy:\n  lod:\n    cpu: 1\nnope: 1\n", vec![]),
        ("policy:\n  balance: randm\n  fallbacks: 17\n  load: {cpu: abc, memory: -3}\n", vec![]),
        ("policy:\n  leases: {ttl: 2h}\n  load: {cpu: 0, memory: 0, queue: 0}\n", vec![]),
        ("policy:\n  leases: {ttl: 5}\n  freshness: {report_interval: 2x}\n", vec![]),
        ("policy:\n  - a\n", vec![]),
        ("- a\n", vec![]),
        ("policy: [\n", vec![]),
        ("policy:\n  fallbacks: 1\n  fallbacks: 2\n", vec![]),
        ("nodes:\n  - id: a\n    endpoints: {text: 10.0.0.1:80}\n  - id: a\n    endpoints: {txt: http://a}\n", vec![]),
        ("nodes:\n  - id: a\n    endpoints: {text: 10.0.0.1:80}\n  - id: a\n    endpoints: {}\n", vec![]),
        ("nodes:\n  - endpoints: {text: http://a:1}\n    wieght: 3\n", vec![]),
        ("nodes:\n  - id: a\n    weight: 0\n    endpoints: {text: http://a:1}\n    models: [1.0, {name: a, vers: 1}]\n", vec![]),
        ("policy:\n  load: {queue: .nan}\n", vec![]),
        ("server: {drain_delay: 7s, listen: localhost}\n", vec![]),
        ("server: {drain_delay: 7s}\nlog: {filter: 'a=b=c'}\n", vec![]),
        ("agent: {node: {id: 'a b', endpoints: {text: 'http://a'}}, engine: {metrics_url: 'http://a/m'}}\n", vec![]),
        ("agent: {host: 1}\n", vec![]),
        ("", vec![("POINTSMAN_POLICY__BALANCE", "randm"), ("POINTSMAN_POLCY__BALANCE", "x"), ("POINTSMAN_FOO", "1"), ("POINTSMAN_POLICY_BALANCE", "x"), ("POINTSMAN_NODES__0__ID", "x")]),
        ("policy:\n  load: 3\n", vec![("POINTSMAN_POLICY__LOAD__CPU", "-4")]),
        ("a: &a [1,1,1,1,1,1,1,1,1,1]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: [*e,*e,*e,*e,*e,*e,*e,*e,*e,*e,*e,*e,*e]\n", vec![]),
        ("policy:\n\tload: 1\n", vec![]),
        ("policy: {}\n---\npolicy: {}\n", vec![]),
    ] {
        eprintln!("=====\n{y}-----\n{}", refused(y, &e));
    }
}
