//! What a node declares of itself, and the words for its condition.

use std::{
    collections::BTreeMap,
    num::{NonZeroU32, NonZeroU64},
    sync::Arc,
};

use super::{
    id::{ModelName, ModelVersion, NodeId},
    prefix::PrefixPolicy,
};

/// Kind of work that a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RequestType {
    /// Text completion and chat.
    Text,
    /// Image generation.
    Image,
    /// Transcription and synthesis of speech.
    Audio,
    /// Embedding vectors.
    Embedding,
    /// Video generation.
    Video,
    /// Reordering documents by relevance.
    Rerank,
}

impl RequestType {
    /// Every type, with its name in configuration and on the command line.
    pub const NAMES: [(Self, &str); 6] = [
        (Self::Text, "text"),
        (Self::Image, "image"),
        (Self::Audio, "audio"),
        (Self::Embedding, "embedding"),
        (Self::Video, "video"),
        (Self::Rerank, "rerank"),
    ];

    /// The type's name in configuration and on the command line.
    pub fn name(self) -> &'static str {
        Self::NAMES[self as usize].1
    }
}

/// Class of service of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NodeClass {
    /// For high priority and premium users.
    High,
    /// For everybody else.
    Normal,
}

impl NodeClass {
    /// Both.
    pub const ALL: [Self; 2] = [Self::High, Self::Normal];

    /// The class that a request spills to.
    pub fn other(self) -> Self {
        match self {
            Self::High => Self::Normal,
            Self::Normal => Self::High,
        }
    }

    /// The class's name in configuration and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::High => "high",
            Self::Normal => "normal",
        }
    }
}

/// What a node declares when it registers.
#[derive(Debug, Clone, PartialEq)]
pub struct NodeSpec {
    /// The node.
    pub id: NodeId,
    /// Absolute URI per request type; the node serves the types that stand here.
    pub endpoints: BTreeMap<RequestType, Arc<str>>,
    /// Models on offer; none means any.
    pub models: Vec<ServedModel>,
    /// Class of service.
    pub class: NodeClass,
    /// Capacity relative to a node of weight 1; finite and over 0.
    pub weight: f64,
    /// Free-form marks.
    pub labels: BTreeMap<String, String>,
    /// Waiting requests at which the queue counts as full; `None` means the policy's default.
    pub queue_capacity: Option<NonZeroU32>,
    /// Tokens that the key-value cache holds, for nodes that do not report it (what they report outranks this); at most
    /// [`Self::MAX_KV_TOKENS`]; `None` means unknown.
    pub kv_tokens: Option<NonZeroU64>,
}

/// A model as one node serves it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServedModel {
    /// Name, as requests spell it.
    pub name: ModelName,
    /// Versions on offer; none means any.
    pub versions: Vec<ModelVersion>,
    /// Request types that the model takes; none means all of the node's.
    pub request_types: Vec<RequestType>,
}

impl ServedModel {
    /// Whether the model takes requests of this type, where its node has an endpoint for them.
    pub fn serves(&self, request_type: RequestType) -> bool {
        self.request_types.is_empty() || self.request_types.contains(&request_type)
    }
}

impl NodeSpec {
    /// A node that declares its name alone: of class normal and weight 1, any model, no endpoint yet.
    pub fn of(id: NodeId) -> Self {
        Self {
            id,
            endpoints: BTreeMap::new(),
            models: Vec::new(),
            class: NodeClass::Normal,
            weight: 1.0,
            labels: BTreeMap::new(),
            queue_capacity: None,
            kv_tokens: None,
        }
    }

    /// Blocks of prompts that its cache holds, where it declares that.
    pub fn cache_blocks(&self, policy: &PrefixPolicy) -> Option<u32> {
        self.kv_tokens.map(|tokens| policy.blocks_of(tokens.get()))
    }

    /// Most endpoints: one a request type.
    pub const MAX_ENDPOINTS: usize = RequestType::NAMES.len();
    /// Longest endpoint URI, in bytes.
    pub const MAX_URI_BYTES: usize = 2048;
    /// Most models.
    pub const MAX_MODELS: usize = 256;
    /// Most versions of one model.
    pub const MAX_VERSIONS: usize = 64;
    /// Most labels.
    pub const MAX_LABELS: usize = 64;
    /// Longest key of a label, in bytes.
    pub const MAX_LABEL_KEY_BYTES: usize = 63;
    /// Longest value of a label, in bytes.
    pub const MAX_LABEL_VALUE_BYTES: usize = 256;
    /// Largest weight.
    pub const MAX_WEIGHT: f64 = 1000.0;
    /// Largest queue capacity.
    pub const MAX_QUEUE_CAPACITY: u32 = 1_000_000;
    /// Most tokens of a key-value cache.
    pub const MAX_KV_TOKENS: u64 = 1_000_000_000_000;
}

/// How a node became known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NodeOrigin {
    /// By an agent's stream: silence and the end of the stream count against it.
    Agent,
    /// By a call or an unattended registration: silence does not count.
    Registered,
    /// By the configuration file: silence does not count.
    Configuration,
}

/// Whether a node can be picked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NodeState {
    /// It can.
    Ready,
    /// Its agent is gone; it can, because its outcomes are good.
    Unreported,
    /// No sign of life in time.
    Silent,
    /// Finishes what it has.
    Draining,
    /// Its breaker is open.
    Ejected,
}

/// State of a circuit breaker, in the usual sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BreakerState {
    /// Requests pass.
    Closed,
    /// Requests are kept away.
    Open,
    /// One request at a time may pass.
    HalfOpen,
}
