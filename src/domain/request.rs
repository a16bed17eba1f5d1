//! What is asked: one request to route, already checked.

use std::time::Duration;

use super::{
    answer::{AnswerKey, AnswerScope, fingerprint::Fingerprint},
    degradation::PoolKey,
    id::{AdapterName, ModelName, ModelVersion, NodeId, RequestId, TenantId, UserId},
    node::{NodeClass, RequestType},
    policy::Tiers,
    prefix::BlockKey,
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
    /// Adapter (`LoRA`) on top of the model; `None` means the model alone.
    pub adapter: Option<AdapterName>,
    /// What the user pays for.
    pub tier: Tier,
    /// How urgent it is.
    pub priority: Priority,
    /// Nodes that must not be picked, at most [`Self::MAX_EXCLUDED`].
    pub excluded: Vec<NodeId>,
    /// Length of the prompt; `None` means unknown.
    pub prompt_tokens: Option<u32>,
    /// Leading whole blocks of the prompt, in order, at most `PrefixPolicy::BLOCKS_MAX`; none where the caller does not
    /// say how the prompt begins.
    pub prefix: Vec<BlockKey>,
    /// Most tokens of the answer; `None` means unknown.
    pub max_output_tokens: Option<u32>,
    /// First-token latency that the caller wants, over 0 and at most [`Self::MAX_TARGET`]; `None` means the tier's.
    pub first_token_target: Option<Duration>,
    /// What is asked, to find its answer; `None` where the caller does not say.
    pub fingerprint: Option<Fingerprint>,
    /// How known answers are used.
    pub answer_use: AnswerUse,
    /// Whether the caller waits.
    pub patience: Patience,
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
    /// Longest first-token latency that a request may want.
    pub const MAX_TARGET: Duration = Duration::from_hours(1);

    /// A request that says no more than it must: free, of normal priority, in no hurry to be explained.
    pub fn of(key: RequestKey, request_type: RequestType, model: ModelName) -> Self {
        Self {
            key,
            user: None,
            request_type,
            model,
            version: None,
            adapter: None,
            tier: Tier::Free,
            priority: Priority::Normal,
            excluded: Vec::new(),
            prompt_tokens: None,
            prefix: Vec::new(),
            max_output_tokens: None,
            first_token_target: None,
            fingerprint: None,
            answer_use: AnswerUse::default(),
            patience: Patience::default(),
            lease_ttl: None,
            explain: false,
        }
    }

    /// Names the answer; `None` where the caller does not say what is asked.
    pub fn answer_key(&self) -> Option<AnswerKey> {
        let fingerprint = self.fingerprint?;
        let scope = AnswerScope {
            tenant: self.key.tenant.clone(),
            request_type: self.request_type,
            model: self.model.clone(),
            version: self.version.clone(),
        };
        Some(AnswerKey { scope, fingerprint })
    }

    /// Names the pool of nodes that serve such requests.
    pub fn pool(&self) -> PoolKey {
        PoolKey { request_type: self.request_type, model: self.model.clone() }
    }

    /// Time in which its first token is wanted: as it says, or as its tier is promised.
    pub fn first_token_target(&self, tiers: &Tiers) -> Duration {
        self.first_token_target.unwrap_or(tiers.first_token_target(self.tier))
    }

    /// The same request for another model, where the beginning of its prompt is nothing that a node may have computed
    /// for the first.
    #[must_use]
    pub fn with_model(&self, model: ModelName) -> Self {
        Self { model, prefix: Vec::new(), ..self.clone() }
    }

    /// Class of nodes that the request goes to: urgent and paid ones to `high`, the rest to `normal`.
    pub fn class(&self) -> NodeClass {
        if self.priority == Priority::High || self.tier == Tier::Premium {
            return NodeClass::High;
        }
        NodeClass::Normal
    }

    /// Whom it goes before where several wait.
    pub fn rank(&self) -> Rank {
        Rank { priority: self.priority, tier: self.tier }
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

/// How known answers are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AnswerUse {
    /// A known one is given; a new one will be stored, and identical requests may wait for it.
    #[default]
    Share,
    /// A known one is given; a new one will not be stored.
    ReadOnly,
    /// A new one is wanted, and will be stored.
    Refresh,
}

/// Whether the caller of a pick waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Patience {
    /// It wants a decision at once, be it a place on a full node.
    #[default]
    None,
    /// It waits for room, or for the answer to an identical request.
    Waits,
    /// It has waited as long as it would: for room in vain, and no longer for anybody's answer.
    Exhausted,
}

/// Who goes before whom where both wait: the more urgent request, and of equally urgent ones that of the user who pays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rank {
    /// How urgent it is.
    pub priority: Priority,
    /// What its user pays for.
    pub tier: Tier,
}

/// What a user pays for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tier {
    /// Does not.
    Free,
    /// Pays.
    Premium,
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

#[cfg(test)]
mod tests;
