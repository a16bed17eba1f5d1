//! Answers: what is stored, what is purged, and what is given back.

use std::{sync::Arc, time::Duration};

use super::{
    Checks, Invalid, duration, known, present,
    request::{request_type, tenant},
};
use crate::{
    domain::{
        answer::{
            AnswerBody, AnswerKey, AnswerScope, ContentType, InlineAnswer, NewAnswer, PurgeScope, Volatility,
            fingerprint::Fingerprint, policy::AnswerPolicy,
        },
        decision::CachedAnswer,
        id::{ModelName, ModelVersion},
    },
    proto,
    state::answers::AnswerStats,
    wire,
};

/// Longest canonical request that is taken to be fingerprinted.
const CANONICAL_BYTES_MAX: usize = 128 * 1024;
/// Media type of inline answers that are stored without one.
const DEFAULT_CONTENT_TYPE: &str = "application/octet-stream";
/// The shortest time that an answer may be kept: less is not worth the memory.
const TTL_MIN: Duration = Duration::from_secs(1);

/// Checks an answer to store.
pub fn store(
    asked: proto::StoreAnswerRequest,
    policy: &AnswerPolicy,
) -> Result<(AnswerKey, NewAnswer), Invalid> {
    use proto::store_answer_request::Question;
    let mut checks = Checks::new();
    let fingerprint = match &asked.question {
        Some(Question::Fingerprint(bytes)) => fingerprint_of(&mut checks, bytes),
        Some(Question::CanonicalRequest(bytes)) => fingerprint_of_canonical(&mut checks, bytes),
        None => required(&mut checks, "question"),
    };
    let scope = scope(&mut checks, &asked);
    let ttl = |value| duration(value, TTL_MIN, policy.ttl_max);
    let ttl = checks.check_present("ttl", asked.ttl, ttl);
    let volatility = checks.check("volatility", volatility(asked.volatility));
    let body = body(&mut checks, asked, policy);
    let stored = (|| {
        let answer = NewAnswer { body: body?, volatility: volatility?, ttl };
        Some((AnswerKey { scope: scope?, fingerprint: fingerprint? }, answer))
    })();
    checks.finish(stored)
}

fn scope(checks: &mut Checks, asked: &proto::StoreAnswerRequest) -> Option<AnswerScope> {
    let tenant = tenant(checks, &asked.tenant);
    let kind = checks.check("request_type", request_type(asked.request_type));
    let model = checks.check("model", ModelName::parse(&asked.model));
    let version = checks.check_present("model_version", present(&asked.model_version), ModelVersion::parse);
    Some(AnswerScope { tenant: tenant?, request_type: kind?, model: model?, version })
}

fn body(checks: &mut Checks, asked: proto::StoreAnswerRequest, policy: &AnswerPolicy) -> Option<AnswerBody> {
    use proto::store_answer_request::Body;
    let content_type = present(&asked.content_type).unwrap_or(DEFAULT_CONTENT_TYPE);
    let content_type = checks.check("content_type", ContentType::parse(content_type))?;
    let (field, body) = match asked.body {
        Some(Body::Inline(bytes)) => {
            let inline = InlineAnswer { content_type, bytes: bytes.into() };
            ("inline", AnswerBody::Inline(Arc::new(inline)))
        }
        Some(Body::Reference(name)) if name.is_empty() => return required(checks, "reference"),
        Some(Body::Reference(name)) => ("reference", AnswerBody::Reference(name.into())),
        None => return required(checks, "body"),
    };
    checks.check(field, policy.check(&body).map(|()| body))
}

/// Checks which answers to purge.
pub fn purge(asked: &proto::PurgeAnswersRequest) -> Result<PurgeScope, Invalid> {
    use proto::purge_answers_request::Question;
    let mut checks = Checks::new();
    let tenant = tenant(&mut checks, &asked.tenant);
    let version = checks.check_present("model_version", present(&asked.model_version), ModelVersion::parse);
    let model = checks.check_present("model", present(&asked.model), ModelName::parse);
    let Some(question) = &asked.question else {
        if version.is_some() && asked.model.is_empty() {
            checks.refuse("model", "is required where `model_version` is given");
        }
        let scope = tenant.map(|tenant| match (model, version) {
            (None, _) => PurgeScope::Tenant(tenant),
            (Some(model), None) => PurgeScope::Model(tenant, model),
            (Some(model), Some(version)) => PurgeScope::Version(tenant, model, version),
        });
        return checks.finish(scope);
    };
    let fingerprint = match question {
        Question::Fingerprint(bytes) => fingerprint_of(&mut checks, bytes),
        Question::CanonicalRequest(bytes) => fingerprint_of_canonical(&mut checks, bytes),
    };
    let kind = checks.check("request_type", request_type(asked.request_type));
    let model = model.or_else(|| required(&mut checks, "model"));
    let key = (|| {
        let scope = AnswerScope { tenant: tenant?, request_type: kind?, model: model?, version };
        Some(AnswerKey { scope, fingerprint: fingerprint? })
    })();
    checks.finish(key.map(PurgeScope::Answer))
}

/// A fingerprint that the gateway computed.
pub fn fingerprint_of(checks: &mut Checks, bytes: &[u8]) -> Option<Fingerprint> {
    checks.check("fingerprint", Fingerprint::try_from_bytes(bytes))
}

/// The fingerprint of a request in canonical form.
pub fn fingerprint_of_canonical(checks: &mut Checks, bytes: &[u8]) -> Option<Fingerprint> {
    if bytes.is_empty() || bytes.len() > CANONICAL_BYTES_MAX {
        let range = format!("must have 1 to {CANONICAL_BYTES_MAX} bytes, got {}", bytes.len());
        checks.refuse("canonical_request", range);
        return None;
    }
    Some(Fingerprint::of_canonical(bytes))
}

fn required<T>(checks: &mut Checks, field: &str) -> Option<T> {
    checks.refuse(field, "is required");
    None
}

fn volatility(value: i32) -> Result<Volatility, String> {
    known(proto::Volatility::try_from(value), |wire| match wire {
        proto::Volatility::Unspecified => Some(Volatility::Usual),
        proto::Volatility::Fact => Some(Volatility::Fact),
        proto::Volatility::Live => Some(Volatility::Live),
    })
}

/// A known answer, as it is given.
pub fn cached(answer: CachedAnswer) -> proto::CachedAnswer {
    use proto::cached_answer::Body;
    let (body, content_type) = match answer.body {
        AnswerBody::Inline(inline) => (Body::Inline(inline.bytes.to_vec()), inline.content_type.to_string()),
        AnswerBody::Reference(name) => (Body::Reference(name.to_string()), String::new()),
    };
    proto::CachedAnswer {
        body: Some(body),
        content_type,
        age: Some(wire::duration(answer.age)),
        stale: answer.stale,
        coalesced: answer.coalesced,
    }
}

/// What became of answers.
pub fn stats(stats: AnswerStats) -> proto::GetAnswerStatsResponse {
    let count = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    proto::GetAnswerStatsResponse {
        hit_count: count(stats.hits),
        miss_count: count(stats.misses),
        stale_count: count(stats.stale_hits),
        coalesced_count: count(stats.coalesced),
        stored_count: count(stats.stored),
        evicted_count: count(stats.evicted),
        purged_count: count(stats.purged),
        entry_count: count(stats.entries),
        bytes: count(stats.bytes),
    }
}
