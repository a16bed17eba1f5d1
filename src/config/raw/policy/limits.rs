//! What may the file say of how much anyone may ask for?

use std::num::NonZeroU32;

use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    config::raw::word::Word,
    domain::{
        limit::{LimitPolicy, LimitRule, Mode, Per, Quota},
        request::Tier,
    },
};

/// Most tokens that stand for an unknown length.
const TOKENS_MAX: u32 = 10_000_000;

/// How much anyone may ask for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(default, deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub struct Limits {
    /// The limits, at most 64; a request must fit into every one that it matches. A list replaces the default one, `[]` means no limits.
    pub rules: Vec<Rule>,
    /// Most keys (a user under a rule is one) that are counted apart, 1 to 10000000; beyond it those of a tenant share one.
    #[garde(range(min = 1, max = 10_000_000))]
    pub keys_max: usize,
    /// Tokens to expect of a prompt whose length the request does not tell, 0 to 10000000.
    #[garde(range(max = TOKENS_MAX))]
    pub unknown_prompt_tokens: u32,
    /// Tokens to expect of an answer whose greatest length the request does not tell, 0 to 10000000.
    #[garde(range(max = TOKENS_MAX))]
    pub unknown_output_tokens: u32,
}

impl Default for Limits {
    fn default() -> Self {
        let limits = LimitPolicy::default();
        Self {
            rules: limits.rules.iter().map(Rule::from).collect(),
            keys_max: limits.keys_max,
            unknown_prompt_tokens: limits.unknown_prompt_tokens,
            unknown_output_tokens: limits.unknown_output_tokens,
        }
    }
}

/// One limit: which requests it is for, what is counted apart, and how much there may be of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Name of the limit, 1 to 64 bytes, unlike all others; shown to those who run into it; required.
    pub name: String,
    /// What is counted apart, always within a tenant: `user`, `tenant`, `tier` or `model`; by `user`, requests that name none are not counted; required.
    pub per: Word<Per>,
    /// Tier that it is for, `premium` or `free`; without it any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<Word<Tier>>,
    /// Model that it is for, 1 to 256 bytes; without it any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Tenant that it is for, 1 to 128 bytes; without it any, each by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// Requests a second in the long run, 0.001 to 1000000; this or `tokens_per_minute`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests_per_second: Option<f64>,
    /// Tokens a minute in the long run, of prompts and answers together, 1 to 100000000; this or `requests_per_second`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens_per_minute: Option<NonZeroU32>,
    /// Most requests or tokens at once, 1 or more, refilled within 24h; a request greater than it never fits. Without it the requests of a second or the tokens of a minute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub burst: Option<NonZeroU32>,
    /// Whether the limit only counts what it would refuse, `true` or `false`.
    #[serde(default)]
    pub shadow: bool,
}

impl From<&LimitRule> for Rule {
    fn from(rule: &LimitRule) -> Self {
        let (requests_per_second, tokens_per_minute) = match rule.quota {
            Quota::Requests { per_second, .. } => (Some(per_second), None),
            Quota::Tokens { per_minute, .. } => (None, Some(per_minute)),
        };
        Self {
            name: rule.name.to_string(),
            per: Word(rule.per),
            tier: rule.tier.map(Word),
            model: rule.model.as_ref().map(ToString::to_string),
            tenant: rule.tenant.as_ref().map(ToString::to_string),
            requests_per_second,
            tokens_per_minute,
            burst: Some(rule.quota.burst()),
            shadow: rule.mode == Mode::Shadow,
        }
    }
}
