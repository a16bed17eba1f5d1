//! How much does one more entry of a table take: an answer, a user under a limit, a block of a prompt?

use std::num::NonZeroU32;

use pointsman::{
    domain::{
        answer::{
            AnswerBody, AnswerKey, AnswerScope, NewAnswer, Volatility, fingerprint::Fingerprint,
            policy::AnswerPolicy,
        },
        digest::Digester,
        id::{LimitName, ModelName, RequestId, TenantId, UserId},
        limit::{LimitPolicy, LimitRule, Mode, Per, Quota},
        node::RequestType,
        prefix::BlockKey,
        request::{RequestKey, RouteRequest},
        time::{Chance, Instant},
    },
    state::{answers::Answers, limits::Limits, nodes::prefixes::Prefixes},
};

use super::{
    grow::{COUNTS_FROM, ENTRIES, Figure, grow},
    said::Failure,
};

const NOW: Instant = Instant::from_nanos(1_000_000_000);
/// Answers kept elsewhere, by references of 32 bytes.
pub(crate) fn answers() -> Result<Figure, Failure> {
    // About full, as in service: what moka takes to tell what is popular depends on what there is room for.
    let answers = Answers::new(Digester::with_secret(7), 400 * ENTRIES as u64);
    let policy = AnswerPolicy::default();
    let mut chance = Chance::with_seed(7);
    let scope = AnswerScope {
        tenant: TenantId::parse("acme")?,
        request_type: RequestType::Text,
        model: ModelName::parse("small")?,
        version: None,
    };
    let figure = grow("answer", 400, |number| {
        let fingerprint = Fingerprint::of_canonical(&number.to_le_bytes());
        let key = AnswerKey { scope: scope.clone(), fingerprint };
        let body = AnswerBody::Reference(format!("{number:032}").into());
        let answer = NewAnswer { body, volatility: Volatility::Usual, ttl: None };
        answers.store(&key, &answer, &policy, NOW, &mut chance)?;
        if number % COUNTS_FROM == 0 {
            answers.sweep(NOW);
        }
        Ok(())
    })?;
    // The growth is that of as many answers only if none had to go.
    assert_eq!(answers.stats().entries, ENTRIES as u64);
    // Freed, its memory would be taken for the next table, and that would seem to need none.
    std::mem::forget(answers);
    Ok(figure)
}

/// Users under one limit.
pub(crate) fn user_keys() -> Result<Figure, Failure> {
    let limits = Limits::new(Digester::with_secret(7));
    let policy = LimitPolicy { rules: [rule()?].into(), ..LimitPolicy::default() };
    let key = RequestKey { tenant: TenantId::parse("acme")?, request: RequestId::parse("1")? };
    let mut request = RouteRequest::of(key, RequestType::Text, ModelName::parse("small")?);
    let figure = grow("user key", 100, |number| {
        request.user = Some(UserId::parse(&number.to_string())?);
        drop(limits.admit_request(&request, &policy, NOW).map_err(|_| "each user asks once")?);
        Ok(())
    })?;
    assert_eq!(limits.stats().keys, ENTRIES);
    std::mem::forget(limits);
    Ok(figure)
}

/// Blocks of prompts of so many each, held by so many nodes. They may take as much as the index says that it takes, for by
/// that it keeps its bound.
pub(crate) fn blocks(name: &'static str, length: usize, holders: usize) -> Result<Figure, Failure> {
    let prefixes = Prefixes::default();
    let nodes: Vec<_> = (0..holders).filter_map(|_| prefixes.join(u32::MAX)).collect();
    let mut chance = Chance::with_seed(7);
    let mut prompt = Vec::new();
    // The keys are no part of it.
    let figure = grow(name, 0, |number| {
        prompt.push(BlockKey::new(chance.u64(..)));
        // Held first by one and then by the next, prompt by prompt.
        if number % (length * holders) == 0 {
            prompt.truncate(length);
            for node in &nodes {
                prefixes.place(node, &prompt, u64::MAX, NOW);
            }
            prompt.clear();
        }
        Ok(())
    })?;
    assert_eq!(prefixes.blocks(), ENTRIES);
    let bytes_max = usize::try_from(prefixes.bytes())? / ENTRIES;
    std::mem::forget(prefixes);
    Ok(Figure { bytes_max, ..figure })
}

fn rule() -> Result<LimitRule, Failure> {
    Ok(LimitRule {
        name: LimitName::parse("users")?,
        per: Per::User,
        tier: None,
        model: None,
        tenant: None,
        quota: Quota::requests(0.001, NonZeroU32::MIN)?,
        mode: Mode::Enforced,
    })
}
