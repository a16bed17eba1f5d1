//! How much may a user, a tenant, a tier or a model ask for, and what is said to those who ask for more?
//!
//! Plain values, counted against in `state::limits`. Rules are independent: a request must fit into every enforced one
//! that it matches. Everything is counted within a tenant, so that no tenant uses up another's share.

mod quota;
mod verdict;

use std::{num::NonZeroU32, sync::Arc};

pub use super::id::LimitName;
pub use quota::{Quota, QuotaError, Unit};
pub use verdict::{Fit, LimitStats, LimitVerdict, OverLimit, RuleStats};

use super::{
    id::{ModelName, TenantId},
    request::{RouteRequest, Tier},
};

/// All rules.
#[derive(Debug, Clone, PartialEq)]
pub struct LimitPolicy {
    /// At most [`Self::RULES_MAX`], each with a name of its own. Shared: by them is known what was made ready for them.
    pub rules: Arc<[LimitRule]>,
    /// Most keys (a user under a rule is one) that are counted apart; beyond it those of a tenant share one.
    pub keys_max: usize,
    /// Tokens of a prompt whose length the request does not tell.
    pub unknown_prompt_tokens: u32,
    /// Tokens of an answer whose greatest length the request does not tell.
    pub unknown_output_tokens: u32,
}

impl LimitPolicy {
    /// Most rules: each request is compared with all of them.
    pub const RULES_MAX: usize = 64;

    /// Tokens to expect of a request, prompt and answer together; `None` means that the request does not tell.
    pub fn expected_tokens(&self, prompt: Option<u32>, output_max: Option<u32>) -> u32 {
        let prompt = prompt.unwrap_or(self.unknown_prompt_tokens);
        prompt.saturating_add(output_max.unwrap_or(self.unknown_output_tokens))
    }
}

/// Premium users may ask 10 times a second, free ones twice.
impl Default for LimitPolicy {
    fn default() -> Self {
        Self {
            rules: Arc::new([
                LimitRule::of_tier("premium-requests", Tier::Premium, 10),
                LimitRule::of_tier("free-requests", Tier::Free, 2),
            ]),
            keys_max: 1_000_000,
            unknown_prompt_tokens: 500,
            unknown_output_tokens: 500,
        }
    }
}

/// One limit: which requests it is for, what is counted apart, and how much there may be of it.
#[derive(Debug, Clone, PartialEq)]
pub struct LimitRule {
    /// What the operator calls it; unique among the rules.
    pub name: LimitName,
    /// What is counted apart.
    pub per: Per,
    /// Tier that it is for; `None` means any.
    pub tier: Option<Tier>,
    /// Model that it is for; `None` means any.
    pub model: Option<ModelName>,
    /// Tenant that it is for; `None` means any, each by itself.
    pub tenant: Option<TenantId>,
    /// How much.
    pub quota: Quota,
    /// Whether it refuses.
    pub mode: Mode,
}

impl LimitRule {
    /// Whether the rule is for this request. One that counts users is not for requests that name none: together they
    /// would count as one user.
    pub fn matches(&self, request: &RouteRequest) -> bool {
        (self.per != Per::User || request.user.is_some())
            && self.tier.is_none_or(|tier| tier == request.tier)
            && self.model.as_ref().is_none_or(|model| *model == request.model)
            && self.tenant.as_ref().is_none_or(|tenant| *tenant == request.key.tenant)
    }

    /// So many requests a second for each user of a tier.
    fn of_tier(name: &str, tier: Tier, per_second: u32) -> Self {
        let burst = NonZeroU32::new(per_second).expect("the defaults are not 0");
        Self {
            name: LimitName::parse(name).expect("the defaults are names"),
            per: Per::User,
            tier: Some(tier),
            model: None,
            tenant: None,
            quota: Quota::Requests { per_second: f64::from(per_second), burst },
            mode: Mode::Enforced,
        }
    }
}

/// What is counted apart, always within a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Per {
    /// Each user; requests that name none are not counted.
    User,
    /// Each tenant.
    Tenant,
    /// Each tier.
    Tier,
    /// Each model.
    Model,
}

impl Per {
    /// Everything that can be counted apart, with its name in configuration.
    pub const NAMES: [(Self, &str); 4] =
        [(Self::User, "user"), (Self::Tenant, "tenant"), (Self::Tier, "tier"), (Self::Model, "model")];

    /// The name in configuration.
    pub fn name(self) -> &'static str {
        Self::NAMES[self as usize].1
    }
}

/// Whether a rule refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// It does.
    Enforced,
    /// It counts what it would refuse, to try a limit out before it hurts.
    Shadow,
}

#[cfg(test)]
mod tests;
