//! Nodes: what they declare and report, and how they are shown.

use std::{
    collections::BTreeMap,
    num::{NonZeroU32, NonZeroU64},
    sync::Arc,
};

use super::{Checks, Invalid, known, request::request_type};
use crate::{
    domain::{
        id::{ModelName, ModelVersion, NodeId},
        node::{BreakerState, NodeClass, NodeOrigin, NodeSpec, NodeState, RequestType, ServedModel},
        policy::Policy,
        time::Instant,
    },
    proto,
    route::score::load,
    state::nodes::node::Node,
    wire,
};

/// Checks a declaration; `field` is where it stands in the message.
pub fn spec(field: &str, declared: Option<&proto::NodeSpec>) -> Result<NodeSpec, Invalid> {
    let declared = declared.ok_or_else(|| Invalid::field(field, "is required"))?;
    let mut checks = Checks::of(field);
    let id = checks.check("node_id", NodeId::parse(&declared.node_id));
    let endpoints = endpoints(&mut checks, &declared.endpoints);
    let models = models(&mut checks, &declared.models);
    let class = checks.check("node_class", node_class(declared.node_class));
    let weight = checks.check("weight", weight(declared.weight.unwrap_or(1.0)));
    let labels = labels(&mut checks, &declared.labels);
    let queue_capacity = checks.check_present("queue_capacity", declared.queue_capacity, capacity);
    let kv_tokens = checks.check_present("kv_tokens", declared.kv_tokens, kv_tokens);
    let spec = (|| {
        Some(NodeSpec {
            id: id?,
            endpoints,
            models,
            class: class?,
            weight: weight?,
            labels,
            queue_capacity,
            kv_tokens,
        })
    })();
    checks.finish(spec)
}

fn endpoints(checks: &mut Checks, declared: &[proto::Endpoint]) -> BTreeMap<RequestType, Arc<str>> {
    let mut endpoints = BTreeMap::new();
    if declared.is_empty() {
        checks.refuse("endpoints", "must hold at least one endpoint");
    }
    for (i, endpoint) in checks.bound("endpoints", declared, NodeSpec::MAX_ENDPOINTS).iter().enumerate() {
        let kind = checks.check(format!("endpoints[{i}].request_type"), request_type(endpoint.request_type));
        let uri = checks.check(format!("endpoints[{i}].uri"), uri(&endpoint.uri));
        let (Some(kind), Some(uri)) = (kind, uri) else { continue };
        if endpoints.insert(kind, uri).is_some() {
            let twice = format!("`{}` has an endpoint already", kind.name());
            checks.refuse(format!("endpoints[{i}].request_type"), twice);
        }
    }
    endpoints
}

fn uri(text: &str) -> Result<Arc<str>, String> {
    if text.len() > NodeSpec::MAX_URI_BYTES {
        return Err(format!("must be at most {} bytes long", NodeSpec::MAX_URI_BYTES));
    }
    let parsed: Option<tonic::codegen::http::Uri> = text.parse().ok();
    match parsed {
        Some(uri) if uri.scheme().is_some() && uri.authority().is_some() => Ok(text.into()),
        _ => Err("must be an absolute URI, such as `http://10.0.0.7:8000`".to_owned()),
    }
}

fn models(checks: &mut Checks, declared: &[proto::ServedModel]) -> Vec<ServedModel> {
    let declared = checks.bound("models", declared, NodeSpec::MAX_MODELS);
    let numbered = declared.iter().enumerate();
    numbered.filter_map(|(i, declared)| model(checks, &format!("models[{i}]"), declared)).collect()
}

fn model(checks: &mut Checks, field: &str, declared: &proto::ServedModel) -> Option<ServedModel> {
    let name = checks.check(format!("{field}.name"), ModelName::parse(&declared.name));
    let of = format!("{field}.versions");
    let versions = checks.bound(&of, &declared.versions, NodeSpec::MAX_VERSIONS).iter().enumerate();
    let versions =
        versions.filter_map(|(i, v)| checks.check(format!("{of}[{i}]"), ModelVersion::parse(v))).collect();
    let of = format!("{field}.request_types");
    let types = checks.bound(&of, &declared.request_types, NodeSpec::MAX_ENDPOINTS).iter().enumerate();
    let request_types =
        types.filter_map(|(i, t)| checks.check(format!("{of}[{i}]"), request_type(*t))).collect();
    Some(ServedModel { name: name?, versions, request_types })
}

fn node_class(value: i32) -> Result<NodeClass, String> {
    known(proto::NodeClass::try_from(value), |wire| match wire {
        proto::NodeClass::High => Some(NodeClass::High),
        proto::NodeClass::Normal | proto::NodeClass::Unspecified => Some(NodeClass::Normal),
    })
}

fn weight(weight: f64) -> Result<f64, String> {
    let valid = weight > 0.0 && weight <= NodeSpec::MAX_WEIGHT && weight.is_normal();
    if valid {
        Ok(weight)
    } else {
        Err(format!("must be over 0 and at most {}, got {weight}", NodeSpec::MAX_WEIGHT))
    }
}

fn labels(
    checks: &mut Checks,
    declared: &std::collections::HashMap<String, String>,
) -> BTreeMap<String, String> {
    let (key_max, value_max) = (NodeSpec::MAX_LABEL_KEY_BYTES, NodeSpec::MAX_LABEL_VALUE_BYTES);
    if declared.len() > NodeSpec::MAX_LABELS {
        checks.refuse(
            "labels",
            format!("must hold at most {} labels, got {}", NodeSpec::MAX_LABELS, declared.len()),
        );
    }
    let too_long =
        |(key, value): (&String, &String)| key.is_empty() || key.len() > key_max || value.len() > value_max;
    if declared.iter().any(too_long) {
        let range = format!("must have keys of 1 to {key_max} bytes and values of at most {value_max}");
        checks.refuse("labels", range);
    }
    declared.iter().map(|(key, value)| (key.clone(), value.clone())).collect()
}

fn capacity(value: i32) -> Result<NonZeroU32, String> {
    let capacity =
        u32::try_from(value).ok().filter(|v| *v <= NodeSpec::MAX_QUEUE_CAPACITY).and_then(NonZeroU32::new);
    capacity.ok_or_else(|| format!("must be from 1 to {}, got {value}", NodeSpec::MAX_QUEUE_CAPACITY))
}

fn kv_tokens(value: i64) -> Result<NonZeroU64, String> {
    let tokens =
        u64::try_from(value).ok().filter(|v| *v <= NodeSpec::MAX_KV_TOKENS).and_then(NonZeroU64::new);
    tokens.ok_or_else(|| format!("must be from 1 to {}, got {value}", NodeSpec::MAX_KV_TOKENS))
}

/// A node as it is shown.
pub fn node(node: &Node, policy: &Policy, now: Instant) -> proto::Node {
    let vitals = node.live.vitals();
    let first_type = node.spec.endpoints.keys().next();
    let observed = first_type.and_then(|kind| vitals.expected_first_token(*kind, now));
    proto::Node {
        spec: Some(wire::spec(&node.spec)),
        origin: origin(node.origin).into(),
        state: state(vitals.state(now)).into(),
        breaker: breaker(vitals.breaker.at(now)).into(),
        load: vitals.load.as_ref().map(|reported| wire::load(&reported.load)),
        report_age: vitals.load.as_ref().map(|reported| wire::duration(now.since(reported.received))),
        in_flight_request_count: node.live.counts().in_flight.into(),
        load_score: load::of(node, policy, now).total(),
        observed_first_token_latency: observed.map(wire::duration),
        failure_ratio: vitals.breaker.failure_ratio(now),
        learned_work_per_ms: vitals.throughput.get(),
        outstanding_work: node.live.ledger.outstanding().all,
        prefix_block_count: node.live.occupancy.as_ref().map_or(0, |occupancy| occupancy.held().into()),
    }
}

fn origin(origin: NodeOrigin) -> proto::NodeOrigin {
    match origin {
        NodeOrigin::Agent => proto::NodeOrigin::Agent,
        NodeOrigin::Registered => proto::NodeOrigin::Registered,
        NodeOrigin::Configuration => proto::NodeOrigin::Configuration,
    }
}

fn state(state: NodeState) -> proto::NodeState {
    match state {
        NodeState::Ready => proto::NodeState::Ready,
        NodeState::Unreported => proto::NodeState::Unreported,
        NodeState::Silent => proto::NodeState::Silent,
        NodeState::Draining => proto::NodeState::Draining,
        NodeState::Ejected => proto::NodeState::Ejected,
    }
}

fn breaker(state: BreakerState) -> proto::BreakerState {
    match state {
        BreakerState::Closed => proto::BreakerState::Closed,
        BreakerState::Open => proto::BreakerState::Open,
        BreakerState::HalfOpen => proto::BreakerState::HalfOpen,
    }
}
