//! Are the limits limits that can be counted?

use std::num::NonZeroU32;

use super::super::{Checks, repeated};
use crate::{
    config::raw::policy::limits::{Limits, Rule},
    domain::{
        id::{LimitName, ModelName, TenantId},
        limit::{LimitPolicy, LimitRule, Mode, Quota, QuotaError},
    },
};

/// Checks the section `policy.limits`.
pub(super) fn limits(raw: &Limits, checks: &mut Checks) -> LimitPolicy {
    let rules = checks.bounded("policy.limits.rules", &raw.rules, LimitPolicy::RULES_MAX);
    for (i, first) in repeated(rules.iter().map(|rule| rule.name.as_str())) {
        let what = format!("`{}` is the name of `policy.limits.rules[{first}]` already", rules[i].name);
        let hint = "give each rule a name of its own: it is shown to those who run into it";
        checks.refuse_with(&format!("policy.limits.rules[{i}].name"), what, hint);
    }
    let numbered = rules.iter().enumerate();
    LimitPolicy {
        rules: numbered
            .filter_map(|(i, raw)| rule(&format!("policy.limits.rules[{i}]"), raw, checks))
            .collect(),
        keys_max: raw.keys_max,
        unknown_prompt_tokens: raw.unknown_prompt_tokens,
        unknown_output_tokens: raw.unknown_output_tokens,
    }
}

/// Checks one rule; `at` is its key.
fn rule(at: &str, raw: &Rule, checks: &mut Checks) -> Option<LimitRule> {
    let name = checks.check(&format!("{at}.name"), LimitName::parse(&raw.name));
    let model = checks.check_some(&format!("{at}.model"), raw.model.as_deref().map(ModelName::parse));
    let tenant = checks.check_some(&format!("{at}.tenant"), raw.tenant.as_deref().map(TenantId::parse));
    let quota = quota(at, raw, checks);
    Some(LimitRule {
        name: name?,
        per: raw.per.0,
        tier: raw.tier.map(|tier| tier.0),
        model,
        tenant,
        quota: quota?,
        mode: if raw.shadow { Mode::Shadow } else { Mode::Enforced },
    })
}

fn quota(at: &str, raw: &Rule, checks: &mut Checks) -> Option<Quota> {
    let quota = match (raw.requests_per_second, raw.tokens_per_minute) {
        (Some(rate), None) => Quota::requests(rate, raw.burst.unwrap_or_else(|| of_a_second(rate))),
        (None, Some(rate)) => Quota::tokens(rate, raw.burst.unwrap_or(rate)),
        (Some(_), Some(_)) => {
            let what = "has `requests_per_second` and `tokens_per_minute`, and can count only one of them";
            checks.refuse_with(at, what, "make it two rules, each with a name of its own");
            return None;
        }
        (None, None) => {
            let what = "has neither `requests_per_second` nor `tokens_per_minute`, so that it limits nothing";
            checks.refuse_with(at, what, "say how much, such as `requests_per_second: 10`");
            return None;
        }
    };
    let told = |error| checks.refuse(&format!("{at}.{}", culprit(error)), error.to_string());
    quota.map_err(told).ok()
}

/// The key that is wrong.
fn culprit(error: QuotaError) -> &'static str {
    match error {
        QuotaError::PerSecond(_) => "requests_per_second",
        QuotaError::PerMinute(_) => "tokens_per_minute",
        QuotaError::Burst(_) => "burst",
    }
}

/// The whole requests of a second, at least one.
fn of_a_second(rate: f64) -> NonZeroU32 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "whole requests are wanted; a rate out of range is refused"
    )]
    let whole = rate as u32;
    NonZeroU32::new(whole).unwrap_or(NonZeroU32::MIN)
}
