//! The request to route.

use std::{num::NonZeroU32, time::Duration};

use super::{
    Checks, Invalid,
    answer::{fingerprint_of, fingerprint_of_canonical},
    count, duration, known, names, present,
};
use crate::{
    domain::{
        answer::fingerprint::Fingerprint,
        digest::Digester,
        id::{AdapterName, ModelVersion, NodeId, RequestId, SessionId, TenantId, UserId},
        node::RequestType,
        prefix::{BlockKey, PrefixPolicy, scope::BlockScope},
        request::{AnswerUse, Patience, Priority, RequestKey, RouteRequest, Tier},
    },
    proto,
};

/// The longest that a pick may ask to wait.
pub const MAX_WAIT: Duration = Duration::from_mins(1);
/// The shortest lease that makes sense: one sweep late is half of it.
const LEASE_TTL_MIN: Duration = Duration::from_secs(1);

/// A checked request and how long its caller is willing to wait.
#[derive(Debug, Clone, PartialEq)]
pub struct Pick {
    /// What is asked.
    pub request: RouteRequest,
    /// From 0 to [`MAX_WAIT`].
    pub max_wait: Duration,
}

/// What a request is checked by.
#[derive(Debug, Clone, Copy)]
pub struct Terms {
    /// The longest that a lease may last.
    pub ttl_max: Duration,
    /// Tokens of a block.
    pub block_tokens: NonZeroU32,
    /// Makes the keys of blocks.
    pub digester: Digester,
}

/// Checks a request. One without an id gets the id that `name` makes up.
pub fn pick(
    asked: &proto::PickNodeRequest,
    terms: &Terms,
    name: impl FnOnce() -> String,
) -> Result<Pick, Invalid> {
    let mut checks = Checks::new();
    let request_id = present(&asked.request_id).map_or_else(name, str::to_owned);
    let key = request_key(&mut checks, &asked.tenant, &request_id);
    let user = checks.check_present("user", present(&asked.user), UserId::parse);
    let kind = checks.check("request_type", request_type(asked.request_type));
    let model = checks.check("model", names::model(&asked.model));
    let version = checks.check_present("model_version", present(&asked.model_version), ModelVersion::parse);
    let adapter = checks.check_present("adapter", present(&asked.adapter), AdapterName::parse);
    let tier = checks.check("tier", tier(asked.tier));
    let priority = checks.check("priority", priority(asked.priority));
    let excluded = excluded(&mut checks, &asked.excluded_node_ids);
    let tokens = |value| count(value, RouteRequest::MAX_TOKENS);
    let prompt_tokens = checks.check_present("prompt_tokens", asked.prompt_tokens, tokens);
    let max_output_tokens = checks.check_present("max_output_tokens", asked.max_output_tokens, tokens);
    let target = |value| duration(value, Duration::from_nanos(1), RouteRequest::MAX_TARGET);
    let first_token_target = checks.check_present("first_token_target", asked.first_token_target, target);
    let beginning = beginning(&mut checks, asked);
    let wait = |value| duration(value, Duration::ZERO, MAX_WAIT);
    let max_wait = checks.check_present("max_wait", asked.max_wait, wait);
    let ttl = |value| duration(value, LEASE_TTL_MIN, terms.ttl_max);
    let lease_ttl = checks.check_present("lease_ttl", asked.lease_ttl, ttl);
    let fingerprint = asked.question.as_ref().and_then(|question| fingerprint(&mut checks, question));
    let answer_use = checks.check("answer_use", answer_use(asked.answer_use));
    let request = (|| {
        let (key, model) = (key?, model?);
        let scope = BlockScope { tenant: &key.tenant, model: &model, adapter: adapter.as_ref() };
        let prefix = beginning.keys(prompt_tokens, &scope, terms);
        Some(RouteRequest {
            key,
            user,
            request_type: kind?,
            model,
            version,
            adapter,
            tier: tier?,
            priority: priority?,
            excluded,
            prompt_tokens,
            prefix,
            max_output_tokens,
            first_token_target,
            fingerprint,
            answer_use: answer_use?,
            patience: if max_wait.is_some_and(|wait| !wait.is_zero()) {
                Patience::Waits
            } else {
                Patience::None
            },
            lease_ttl,
            explain: asked.explain,
        })
    })();
    let max_wait = max_wait.unwrap_or_default();
    checks.finish(request.map(|request| Pick { request, max_wait }))
}

/// What a request says of how its prompt begins.
enum Beginning<'a> {
    Hashes(&'a [u64]),
    Session(SessionId),
    Unknown,
}

impl Beginning<'_> {
    fn keys(&self, prompt_tokens: Option<u32>, scope: &BlockScope<'_>, terms: &Terms) -> Vec<BlockKey> {
        match self {
            Self::Hashes(hashes) => scope.of_hashes(hashes, &terms.digester),
            Self::Session(session) => {
                let blocks = prompt_tokens.unwrap_or(0) / terms.block_tokens;
                scope.of_session(session, blocks, &terms.digester)
            }
            Self::Unknown => Vec::new(),
        }
    }
}

/// The hashes count for more than the session: they tell of what several sessions have in common.
fn beginning<'a>(checks: &mut Checks, asked: &'a proto::PickNodeRequest) -> Beginning<'a> {
    let hashes = checks.bound("prefix_blocks", &asked.prefix_blocks, PrefixPolicy::BLOCKS_MAX);
    let session = checks.check_present("session", present(&asked.session), SessionId::parse);
    match session {
        Some(session) if hashes.is_empty() => Beginning::Session(session),
        None if hashes.is_empty() => Beginning::Unknown,
        _ => Beginning::Hashes(hashes),
    }
}

/// The name of a request within its tenant.
pub fn request_key(checks: &mut Checks, tenant: &str, request_id: &str) -> Option<RequestKey> {
    let tenant = self::tenant(checks, tenant);
    let request = checks.check("request_id", RequestId::parse(request_id));
    Some(RequestKey { tenant: tenant?, request: request? })
}

/// A tenant, or the one of requests that name none.
pub fn tenant(checks: &mut Checks, name: &str) -> Option<TenantId> {
    checks.check("tenant", names::tenant(present(name).unwrap_or(TenantId::DEFAULT)))
}

/// A request type that is said.
pub fn request_type(value: i32) -> Result<RequestType, String> {
    use proto::RequestType as Wire;
    known(Wire::try_from(value), |wire| match wire {
        Wire::Unspecified => None,
        Wire::Text => Some(RequestType::Text),
        Wire::Image => Some(RequestType::Image),
        Wire::Audio => Some(RequestType::Audio),
        Wire::Embedding => Some(RequestType::Embedding),
        Wire::Video => Some(RequestType::Video),
        Wire::Rerank => Some(RequestType::Rerank),
    })
}

fn fingerprint(checks: &mut Checks, question: &proto::pick_node_request::Question) -> Option<Fingerprint> {
    use proto::pick_node_request::Question as Wire;
    match question {
        Wire::Fingerprint(bytes) => fingerprint_of(checks, bytes),
        Wire::CanonicalRequest(bytes) => fingerprint_of_canonical(checks, bytes),
    }
}

fn answer_use(value: i32) -> Result<AnswerUse, String> {
    known(proto::AnswerUse::try_from(value), |wire| match wire {
        proto::AnswerUse::Share | proto::AnswerUse::Unspecified => Some(AnswerUse::Share),
        proto::AnswerUse::ReadOnly => Some(AnswerUse::ReadOnly),
        proto::AnswerUse::Refresh => Some(AnswerUse::Refresh),
    })
}

fn tier(value: i32) -> Result<Tier, String> {
    known(proto::Tier::try_from(value), |wire| match wire {
        proto::Tier::Premium => Some(Tier::Premium),
        proto::Tier::Free | proto::Tier::Unspecified => Some(Tier::Free),
    })
}

fn priority(value: i32) -> Result<Priority, String> {
    known(proto::Priority::try_from(value), |wire| match wire {
        proto::Priority::High => Some(Priority::High),
        proto::Priority::Normal | proto::Priority::Unspecified => Some(Priority::Normal),
        proto::Priority::Low => Some(Priority::Low),
    })
}

fn excluded(checks: &mut Checks, ids: &[String]) -> Vec<NodeId> {
    let ids = checks.bound("excluded_node_ids", ids, RouteRequest::MAX_EXCLUDED);
    let numbered = ids.iter().enumerate();
    numbered
        .filter_map(|(i, id)| checks.check(format!("excluded_node_ids[{i}]"), NodeId::parse(id)))
        .collect()
}

#[cfg(test)]
mod tests;
