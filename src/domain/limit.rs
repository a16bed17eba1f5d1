//! How much may a user, a tenant, a tier or a model ask for, and what is said to those who ask for more?
//!
//! Plain values, counted against in `state::limits`. Rules are independent: a request must fit into every enforced one
//! that it matches. Everything is counted within a tenant, so that no tenant uses up another's share.

use std::{num::NonZeroU32, time::Duration};

use thiserror::Error;

pub use super::id::LimitName;
use super::{
    id::{ModelName, TenantId},
    request::{RouteRequest, Tier},
};

/// All rules.
#[derive(Debug, Clone, PartialEq)]
pub struct LimitPolicy {
    /// At most [`Self::RULES_MAX`], each with a name of its own.
    pub rules: Vec<LimitRule>,
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
            rules: vec![
                LimitRule::of_tier("premium-requests", Tier::Premium, 10),
                LimitRule::of_tier("free-requests", Tier::Free, 2),
            ],
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

/// How much. After a pause, `burst` at once; in the long run, the rate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Quota {
    /// Of requests.
    Requests {
        /// The rate, [`Quota::PER_SECOND_MIN`] to [`Quota::PER_SECOND_MAX`].
        per_second: f64,
        /// Most at once; refills within [`Quota::REFILL_MAX`].
        burst: NonZeroU32,
    },
    /// Of tokens, of prompts and answers together.
    Tokens {
        /// The rate, at most [`Quota::PER_MINUTE_MAX`].
        per_minute: NonZeroU32,
        /// Most at once; refills within [`Quota::REFILL_MAX`].
        burst: NonZeroU32,
    },
}

/// Why a quota was refused.
#[derive(Debug, Clone, Copy, PartialEq, Error)]
pub enum QuotaError {
    /// The rate of requests is out of range.
    #[error("{0} requests a second: must be {min} to {max}", min = Quota::PER_SECOND_MIN, max = Quota::PER_SECOND_MAX)]
    PerSecond(f64),
    /// The rate of tokens is out of range.
    #[error("{0} tokens a minute: must be 1 to {max}", max = Quota::PER_MINUTE_MAX)]
    PerMinute(u32),
    /// Who has used up the burst would have to wait too long for it.
    #[error("a burst of {0} takes over {hours} h to refill: lower it or raise the rate", hours = Quota::REFILL_MAX.as_secs() / 3600)]
    Burst(NonZeroU32),
}

impl Quota {
    /// Lowest rate of requests: one in about 17 minutes.
    pub const PER_SECOND_MIN: f64 = 0.001;
    /// Highest rate of requests; a period of a microsecond is still told to 0.1 %.
    pub const PER_SECOND_MAX: f64 = 1e6;
    /// Highest rate of tokens; a period of 600 ns is still told to 0.2 %.
    pub const PER_MINUTE_MAX: u32 = 100_000_000;
    /// Longest time that a burst takes to refill.
    pub const REFILL_MAX: Duration = Duration::from_hours(24);

    /// Checks a quota of requests.
    pub fn requests(per_second: f64, burst: NonZeroU32) -> Result<Self, QuotaError> {
        if !(Self::PER_SECOND_MIN..=Self::PER_SECOND_MAX).contains(&per_second) {
            return Err(QuotaError::PerSecond(per_second));
        }
        Self::Requests { per_second, burst }.refilling()
    }

    /// Checks a quota of tokens.
    pub fn tokens(per_minute: NonZeroU32, burst: NonZeroU32) -> Result<Self, QuotaError> {
        if per_minute.get() > Self::PER_MINUTE_MAX {
            return Err(QuotaError::PerMinute(per_minute.get()));
        }
        Self::Tokens { per_minute, burst }.refilling()
    }

    /// Most at once.
    pub fn burst(self) -> NonZeroU32 {
        match self {
            Self::Requests { burst, .. } | Self::Tokens { burst, .. } => burst,
        }
    }

    /// What it is a quota of.
    pub fn unit(self) -> Unit {
        match self {
            Self::Requests { .. } => Unit::Requests,
            Self::Tokens { .. } => Unit::Tokens,
        }
    }

    /// The rate in units a second.
    pub fn per_second(self) -> f64 {
        match self {
            Self::Requests { per_second, .. } => per_second,
            Self::Tokens { per_minute, .. } => f64::from(per_minute.get()) / 60.0,
        }
    }

    fn refilling(self) -> Result<Self, QuotaError> {
        let burst = self.burst();
        if f64::from(burst.get()) / self.per_second() > Self::REFILL_MAX.as_secs_f64() {
            return Err(QuotaError::Burst(burst));
        }
        Ok(self)
    }
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unit {
    /// Requests.
    Requests,
    /// Tokens, of prompts and answers together.
    Tokens,
}

/// Whether a rule refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// It does.
    Enforced,
    /// It counts what it would refuse, to try a limit out before it hurts.
    Shadow,
}

/// Over a limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OverLimit {
    /// The rule that refused.
    pub rule: LimitName,
    /// What the rule counts apart.
    pub per: Per,
    /// The same request fits then, if nothing else is asked for meanwhile; `None` means never: it is greater than
    /// the burst.
    pub retry_delay: Option<Duration>,
    /// What the rule counts.
    pub unit: Unit,
    /// What the request needs, in the rule's unit.
    pub needed: u32,
    /// Most at once, in the rule's unit.
    pub limit: u64,
    /// Whole units left now.
    pub remaining: u64,
}

/// How one rule sees a request.
#[derive(Debug, Clone, PartialEq)]
pub struct LimitVerdict {
    /// The rule.
    pub rule: LimitName,
    /// What it counts apart.
    pub per: Per,
    /// How much it allows.
    pub quota: Quota,
    /// Whether it refuses.
    pub mode: Mode,
    /// Units that the request takes.
    pub cost: u32,
    /// Whole units left now, before the request.
    pub remaining: u64,
    /// Whether the request fits.
    pub fit: Fit,
}

impl LimitVerdict {
    /// The refusal that the rule would answer with; `None` where it lets the request through.
    pub fn refusal(&self) -> Option<OverLimit> {
        let retry_delay = match (self.mode, self.fit) {
            (Mode::Shadow, _) | (_, Fit::Now) => return None,
            (Mode::Enforced, Fit::After(delay)) => Some(delay),
            (Mode::Enforced, Fit::Never) => None,
        };
        let limit = u64::from(self.quota.burst().get());
        Some(OverLimit {
            rule: self.rule.clone(),
            per: self.per,
            retry_delay,
            unit: self.quota.unit(),
            needed: self.cost,
            limit,
            remaining: self.remaining,
        })
    }
}

/// Whether a request fits into a quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fit {
    /// It does.
    Now,
    /// It will, after so long, if nothing else is asked for meanwhile.
    After(Duration),
    /// It is greater than the burst.
    Never,
}

/// What the limits have done since the service began, and hold now.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LimitStats {
    /// Keys that are counted apart now.
    pub keys: usize,
    /// Requests counted with others of their tenant since there was no room for a key of their own.
    pub overflowed: u64,
    /// Requests not counted at all, since there was no room even for that.
    pub uncounted: u64,
    /// Each rule of the policy that was last asked about, in its order.
    pub rules: Vec<RuleStats>,
}

/// What one rule has done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleStats {
    /// The rule.
    pub rule: LimitName,
    /// Requests that fitted into it, given back or refused by another rule or not.
    pub fitted: u64,
    /// Requests that it refused.
    pub refused: u64,
    /// Requests that it would have refused, were it enforced.
    pub shadow_refused: u64,
}

#[cfg(test)]
mod tests;
