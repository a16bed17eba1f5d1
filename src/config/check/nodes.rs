//! Are the nodes of the file nodes that the service would register?

use std::{collections::BTreeMap, sync::Arc};

use super::{Checks, repeated};
use crate::{
    config::raw::nodes::{Model, Node},
    domain::{
        id::{ModelName, ModelVersion, NodeId},
        node::{NodeSpec, RequestType, ServedModel},
    },
};

/// Checks the list `nodes`.
pub(super) fn nodes(raw: &[Node], max: usize, checks: &mut Checks) -> Vec<NodeSpec> {
    if raw.len() > max {
        let hint = "raise `policy.nodes_max` or list fewer nodes";
        checks.refuse_with("nodes", format!("lists {} nodes, more than {max}", raw.len()), hint);
    }
    for (i, first) in repeated(raw.iter().map(|node| node.id.as_str())) {
        let what = format!("`{}` is the id of `nodes[{first}]` already", raw[i].id);
        checks.refuse_with(&format!("nodes[{i}].id"), what, "give each node an id of its own");
    }
    let numbered = raw.iter().enumerate();
    numbered.filter_map(|(i, raw)| node(&format!("nodes[{i}]"), raw, checks)).collect()
}

/// Checks one node; `at` is its key.
pub(super) fn node(at: &str, raw: &Node, checks: &mut Checks) -> Option<NodeSpec> {
    let id = checks.check(&format!("{at}.id"), NodeId::parse(&raw.id));
    let endpoints = endpoints(at, raw, checks);
    let numbered = raw.models.iter().enumerate();
    let models = numbered.filter_map(|(i, raw)| model(&format!("{at}.models[{i}]"), raw, checks)).collect();
    labels(at, &raw.labels, checks);
    Some(NodeSpec {
        id: id?,
        endpoints,
        models,
        class: raw.class.0,
        weight: raw.weight,
        labels: raw.labels.clone(),
        queue_capacity: raw.queue_capacity,
        kv_tokens: raw.kv_tokens,
    })
}

fn endpoints(at: &str, raw: &Node, checks: &mut Checks) -> BTreeMap<RequestType, Arc<str>> {
    if raw.endpoints.is_empty() {
        checks.refuse(&format!("{at}.endpoints"), "must hold at least one endpoint");
    }
    let mut endpoints = BTreeMap::new();
    for (kind, uri) in &raw.endpoints {
        let key = format!("{at}.endpoints.{}", kind.0.name());
        if uri.len() > NodeSpec::MAX_URI_BYTES {
            checks.refuse(&key, format!("must be at most {} bytes long", NodeSpec::MAX_URI_BYTES));
        } else if checks.uri(&key, uri) {
            endpoints.insert(kind.0, Arc::from(uri.as_str()));
        }
    }
    endpoints
}

fn model(at: &str, raw: &Model, checks: &mut Checks) -> Option<ServedModel> {
    let raw = match raw {
        Model::Name(name) => {
            let name = checks.check(at, ModelName::parse(name))?;
            return Some(ServedModel { name, versions: Vec::new(), request_types: Vec::new() });
        }
        Model::Served(raw) => raw,
    };
    let name = checks.check(&format!("{at}.name"), ModelName::parse(&raw.name));
    if raw.versions.len() > NodeSpec::MAX_VERSIONS {
        let what = format!("must hold at most {} versions", NodeSpec::MAX_VERSIONS);
        checks.refuse(&format!("{at}.versions"), what);
    }
    let numbered = raw.versions.iter().enumerate();
    let version =
        |(i, text): (usize, &String)| checks.check(&format!("{at}.versions[{i}]"), ModelVersion::parse(text));
    let versions = numbered.filter_map(version).collect();
    let request_types = raw.request_types.iter().map(|kind| kind.0).collect();
    Some(ServedModel { name: name?, versions, request_types })
}

fn labels(at: &str, raw: &BTreeMap<String, String>, checks: &mut Checks) {
    let (key_max, value_max) = (NodeSpec::MAX_LABEL_KEY_BYTES, NodeSpec::MAX_LABEL_VALUE_BYTES);
    let wrong =
        |(key, value): &(&String, &String)| key.is_empty() || key.len() > key_max || value.len() > value_max;
    if let Some((key, _)) = raw.iter().find(wrong) {
        let what = format!("label `{key}` is empty or too long");
        checks.refuse(&format!("{at}.labels"), what);
    }
}
