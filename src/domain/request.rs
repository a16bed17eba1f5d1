//! What is asked: one request to route, already checked.

use std::time::Duration;

use super::{
    id::{ModelName, ModelVersion, NodeId, RequestId, TenantId, UserId},
    node::{NodeClass, RequestType},
};

/// One request to route.
#[derive(Debug, Clone, PartialEq)]
pub struct RouteRequest {
    /// Tenant and name of the request; a repeated key gets the same decision.
    pub key: RequestKey,
    /// User within the tenant; `None` means anonymous.
    pub user: Option<UserId>,
    /// Kind of work.
    pub request_type: RequestType,
    /// Model.
    pub model: ModelName,
    /// Version of the model; `None` means any.
    pub version: Option<ModelVersion>,
    /// What the user pays for.
    pub tier: Tier,
    /// How urgent it is.
    pub priority: Priority,
    /// Nodes that must not be picked, at most [`Self::MAX_EXCLUDED`].
    pub excluded: Vec<NodeId>,
    /// Length of the prompt; `None` means unknown.
    pub prompt_tokens: Option<u32>,
    /// Most tokens of the answer; `None` means unknown.
    pub max_output_tokens: Option<u32>,
    /// Whether the caller is willing to wait, rather than have a request pile up on a full node.
    pub waits: bool,
    /// How long the pick counts as in flight; `None` means the policy's default.
    pub lease_ttl: Option<Duration>,
    /// Whether the decision carries its explanation.
    pub explain: bool,
}

impl RouteRequest {
    /// Most nodes that a request may exclude.
    pub const MAX_EXCLUDED: usize = 64;
    /// Most tokens that a request or an outcome may claim.
    pub const MAX_TOKENS: u32 = 100_000_000;

    /// Class of nodes that the request goes to: urgent and paid ones to `high`, the rest to `normal`.
    pub fn class(&self) -> NodeClass {
        if self.priority == Priority::High || self.tier == Tier::Premium {
            return NodeClass::High;
        }
        NodeClass::Normal
    }
}

/// Names one request among all tenants.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RequestKey {
    /// Tenant that the request belongs to.
    pub tenant: TenantId,
    /// The request within it.
    pub request: RequestId,
}

/// What a user pays for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Tier {
    /// Pays.
    Premium,
    /// Does not.
    Free,
}

/// How urgent a request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Priority {
    /// First to be given less.
    Low,
    /// As the tier says.
    Normal,
    /// Goes to class `high`, whatever the tier.
    High,
}
