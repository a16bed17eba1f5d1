//! What may a node in the file say of itself?

use std::{
    collections::BTreeMap,
    fmt,
    num::{NonZeroU32, NonZeroU64},
};

use garde::Validate;
use schemars::JsonSchema;
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{MapAccess, Visitor, value::MapAccessDeserializer},
};

use super::{policy::holdable, word::Word};
use crate::domain::node::{NodeClass, NodeSpec, RequestType};

/// A node.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub struct Node {
    /// Name of the node, 1 to 128 letters, digits and `. _ : / -`; required.
    pub id: String,
    /// Class of service: `high` for premium users and urgent requests, `normal` for everybody else.
    #[serde(default = "class")]
    pub class: Word<NodeClass>,
    /// Capacity relative to a node of weight 1, over 0 and at most 1000.
    #[serde(default = "weight")]
    #[garde(custom(known_weight))]
    pub weight: f64,
    /// Absolute URI for each request type that the node serves, such as `text: http://10.0.0.7:8000`; required.
    pub endpoints: BTreeMap<Word<RequestType>, String>,
    /// Models on offer, each a name or a mapping with `name`, `versions` and `request_types`; none means any.
    #[serde(default)]
    #[garde(length(max = NodeSpec::MAX_MODELS))]
    pub models: Vec<Model>,
    /// Free-form marks: keys of 1 to 63 bytes, values of at most 256, at most 64 of them.
    #[serde(default)]
    #[garde(length(max = NodeSpec::MAX_LABELS))]
    pub labels: BTreeMap<String, String>,
    /// Waiting requests at which the queue counts as full, 1 to 1000000; without it `policy.load.queue_capacity` counts.
    #[serde(default)]
    #[garde(inner(custom(holdable)))]
    pub queue_capacity: Option<NonZeroU32>,
    /// Tokens that the key-value cache holds, 1 to 1000000000000, for nodes that do not report it; without it the node is
    /// taken to hold `policy.prefixes.node_blocks`.
    #[serde(default)]
    #[garde(inner(custom(cacheable)))]
    pub kv_tokens: Option<NonZeroU64>,
}

fn cacheable(tokens: &NonZeroU64, (): &()) -> garde::Result {
    if tokens.get() <= NodeSpec::MAX_KV_TOKENS {
        return Ok(());
    }
    Err(garde::Error::new(format!("greater than {}", NodeSpec::MAX_KV_TOKENS)))
}

fn class() -> Word<NodeClass> {
    Word(NodeClass::Normal)
}

fn weight() -> f64 {
    1.0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "garde hands out references")]
fn known_weight(weight: &f64, (): &()) -> garde::Result {
    if weight.is_normal() && *weight > 0.0 && *weight <= NodeSpec::MAX_WEIGHT {
        return Ok(());
    }
    Err(garde::Error::new(format!("not over 0 and at most {}", NodeSpec::MAX_WEIGHT)))
}

/// A model on offer.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Model {
    /// Its name alone: any version, any request type of the node.
    Name(String),
    /// Its name and what is served of it.
    Served(Served),
}

/// What is served of a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Served {
    /// Name of the model, 1 to 256 bytes; required.
    pub name: String,
    /// Versions on offer, at most 64; none means any.
    #[serde(default)]
    pub versions: Vec<String>,
    /// Request types that the model takes; none means all of the node's.
    #[serde(default)]
    pub request_types: Vec<Word<RequestType>>,
}

impl<'de> Deserialize<'de> for Model {
    // Not derived: an untagged enum forgets which key was wrong.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NameOrMapping)
    }
}

struct NameOrMapping;

impl<'de> Visitor<'de> for NameOrMapping {
    type Value = Model;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name in quotes, or a mapping with `name`, `versions` and `request_types`")
    }

    fn visit_str<E>(self, name: &str) -> Result<Model, E> {
        Ok(Model::Name(name.to_owned()))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Model, A::Error> {
        Served::deserialize(MapAccessDeserializer::new(map)).map(Model::Served)
    }
}
