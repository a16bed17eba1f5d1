mod policy;

use std::{collections::BTreeSet, fs, net::SocketAddr, path::Path, time::Duration};

use proptest::prelude::*;

use super::{Schema, Sources, Tree, read};
use crate::{
    config::{Config, ConfigError, LogFormat, ServerConfig},
    domain::{
        limit::Per,
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
    for yaml in
        ["", "# nothing\n", "---\n", "{}", "policy:\nnodes:\n", "policy:\n  load:\n    # cpu: 1\nlog: {}\n"]
    {
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
        _ => format!("{}\n", line.replace("nodes: []", "nodes:").replace("pools: []", "pools:")),
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
                 {metrics_url: 'http://127.0.0.1:8000/metrics', preset: vllm, kv_events: {connect: \
                 'tcp://127.0.0.1:5557', model: llama-3-8b}}\n";
    assert_eq!(Some(stated), loaded(short).agent, "the example states the agent's defaults");
}

#[test]
fn what_is_read_of_the_example_can_be_written_and_read_again() {
    let (yaml, schema) = (uncommented(), Schema::of_file());
    let mut tree = Tree::parse(Path::new("p.yaml"), &yaml).expect("it is YAML");
    let (raw, problems) = read::raw(&mut tree, &schema);
    assert!(problems.is_empty(), "{problems:?}");
    // JSON is YAML too.
    let written = serde_json::to_string(&raw.expect("it was read")).expect("all of it can be written");
    assert_eq!(loaded(&written), loaded(&yaml));
}

#[test]
fn the_example_names_every_key() {
    let (text, schema) = (uncommented(), crate::config::schema::schema());
    let words: BTreeSet<&str> = text.split(|c: char| c != '_' && !c.is_ascii_alphanumeric()).collect();
    let mut keys = Vec::new();
    collect(&schema, &mut keys);
    for key in keys {
        assert!(words.contains(key.as_str()), "{key}");
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

/// Files and what is said to them: `=====` between the cases, `-----` between file and message.
const REFUSED: &str = include_str!("refused.txt");

#[test]
fn what_is_wrong_is_told_with_its_place_and_a_hint() {
    for case in REFUSED.split("=====\n") {
        let (yaml, message) = case.split_once("-----\n").expect("each case has both");
        let told = refused(yaml, &[]);
        assert_eq!(format!("{told}\n"), message, "\n--- the file:\n{yaml}--- what it says now:\n{told}\n");
    }
}

#[test]
fn flags_win_over_the_environment_and_it_over_the_file() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("pointsman.yaml");
    let yaml = "server: {listen: '127.0.0.1:1', streams_max: 7}\npolicy: {balance: random, fallbacks: 3}\n";
    fs::write(&path, yaml).expect("the folder takes files");
    let mut sources = Sources { file: Some(path), ..Sources::default() };
    let listens = |sources: &Sources| sources.load().expect("all is valid").server.listen.port();
    assert_eq!(listens(&sources), 1);
    sources.env = vec![
        ("POINTSMAN_SERVER__LISTEN".into(), "127.0.0.1:2".into()),
        ("POINTSMAN_POLICY__BALANCE".into(), "peak_ewma".into()),
    ];
    assert_eq!(listens(&sources), 2);
    sources.listen = Some(SocketAddr::from(([127, 0, 0, 1], 3)));
    assert_eq!(listens(&sources), 3);
    let config = sources.load().expect("all is valid");
    assert_eq!((config.policy.balance, config.policy.fallbacks.0), (Balance::PeakEwma, 3));
    assert_eq!(config.server.streams_max, 7, "what nobody overrides stays");
}

#[test]
fn the_environment_sets_every_kind_of_value() {
    let env = [
        ("POINTSMAN_LOG__FILTER", "debug"),
        ("POINTSMAN_LOG", "{format: json, filter: warn}"),
        ("POINTSMAN_POLICY__LOAD__CPU", "1"),
        ("POINTSMAN_POLICY__LOAD__GPU_REPLACES_CPU", "false"),
        ("POINTSMAN_POLICY__LEASES__TTL", "90s"),
        ("POINTSMAN_POLICY__DEGRADATION__BUSY__ENTER", "85"),
        ("POINTSMAN_POLICY__LIMITS__RULES", "[{name: a, per: tier, tokens_per_minute: 5}]"),
        ("POINTSMAN_POLICY__ANSWERS__TTL__FACT", "2h"),
        ("POINTSMAN_NODES", "[{id: a, endpoints: {text: 'http://a:1'}}]"),
        ("POINTSMAN_AGENT__NODE__ID", "7"),
        ("POINTSMAN_AGENT__NODE__ENDPOINTS__TEXT", "http://a:1"),
    ];
    let config = load("", &env).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((config.log.format, config.log.filter.as_str()), (LogFormat::Json, "debug"));
    assert!((config.policy.load.cpu - 1.0).abs() < f64::EPSILON);
    assert!(!config.policy.load.gpu_replaces_cpu);
    assert_eq!(config.policy.leases.ttl, Duration::from_secs(90));
    let busy = config.policy.degradation.thresholds.busy;
    assert_eq!((busy.enter, busy.leave), (85.0, 70.0), "what the environment does not set stays");
    assert_eq!(config.policy.limits.rules[0].per, Per::Tier);
    assert_eq!(config.policy.answers.fact, Duration::from_hours(2));
    assert_eq!(config.nodes[0].id.as_str(), "a");
    assert_eq!(config.agent.expect("the environment has one").node.id.as_str(), "7");
}

#[test]
fn stray_variables_are_named() {
    let env = [
        ("POINTSMAN_POLICY__BALANCE", "randm"),
        ("POINTSMAN_POLICY_FALLBACKS", "1"),
        ("POINTSMAN_QQ", "1"),
        ("POINTSMAN_POLICY__LOAD__CPU", "[1"),
    ];
    let told = "environment variable `POINTSMAN_POLICY_FALLBACKS`: is no key of the configuration
hint: did you mean `POINTSMAN_POLICY__FALLBACKS`? Two underscores descend
environment variable `POINTSMAN_POLICY__BALANCE`: `policy.balance`: `randm` is no balance policy
hint: did you mean `random`?
environment variable `POINTSMAN_POLICY__LOAD__CPU`: `policy.load.cpu`: has no readable value
hint: `policy.load.cpu`: Weight of the processor, 0 to 1000; the three weights must not all be 0. Default: `0.4`.
environment variable `POINTSMAN_QQ`: is no key of the configuration
hint: two underscores descend: `POINTSMAN_POLICY__BALANCE` is `policy.balance`";
    assert_eq!(refused("", &env), told);
}

#[test]
fn variables_of_the_command_line_of_kubernetes_and_of_others_are_passed_over() {
    let env = [
        ("POINTSMAN_SERVER", "http://127.0.0.1:1"),
        ("POINTSMAN_CONFIG", "/etc/pointsman.yaml"),
        ("POINTSMAN_SERVICE_HOST", "10.0.0.1"),
        ("POINTSMAN_SERVICE_PORT", "50051"),
        ("POINTSMAN_SERVICE_PORT_GRPC", "50051"),
        ("POINTSMAN_PORT", "tcp://10.0.0.1:50051"),
        ("POINTSMAN_PORT_50051_TCP", "tcp://10.0.0.1:50051"),
        ("POINTSMAN_PORT_50051_TCP_ADDR", "10.0.0.1"),
        ("PATH", "/bin"),
    ];
    assert_eq!(load("", &env).unwrap_or_else(|error| panic!("{error}")), Config::default());
    assert!(refused("", &[("POINTSMAN_PORT", "50051")]).contains("`POINTSMAN_PORT`"), "set by a person");
}

#[test]
fn a_file_that_is_missing_or_huge_is_told() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("pointsman.yaml");
    let sources = Sources { file: Some(path.clone()), ..Sources::default() };
    let missing = sources.load().expect_err("there is no file").to_string();
    assert!(missing.starts_with(&format!("cannot read `{}`: ", path.display())), "{missing}");
    assert!(missing.contains("\nhint: "), "{missing}");
    let huge = usize::try_from(super::FILE_BYTES_MAX).expect("a MiB fits") + 1;
    fs::write(&path, "#".repeat(huge)).expect("the folder takes files");
    let told = sources.load().expect_err("the file is too large").to_string();
    assert!(told.contains("is larger than 1048576 bytes\nhint: "), "{told}");
    fs::write(&path, "#".repeat(huge - 1)).expect("the folder takes files");
    assert!(sources.load().is_ok(), "the bound itself is accepted");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn a_mutated_file_is_accepted_or_refused_with_a_hint(
        cuts in prop::collection::vec((any::<prop::sample::Index>(), 0_usize..12, "[-:{}\\[\\]&*!|>'\"#% \n\ta-z0-9.]{0,6}"), 1..6),
    ) {
        let mut text: Vec<char> = uncommented().chars().collect();
        for (at, length, instead) in cuts {
            let at = at.index(text.len());
            let end = (at + length).min(text.len());
            text.splice(at..end, instead.chars());
        }
        let text: String = text.into_iter().collect();
        if let Err(error) = load(&text, &[]) {
            let told = error.to_string();
            let last = told.lines().last().unwrap_or_default();
            prop_assert!(last.starts_with("hint: "), "{told}");
        }
    }
}
