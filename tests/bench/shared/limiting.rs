//! Under which limits is a request that does full work?

use std::num::NonZeroU32;

use pointsman::domain::{
    id::LimitName,
    limit::{LimitPolicy, LimitRule, Mode, Per, Quota},
    policy::Policy,
};

use super::{fleet, said::Failure};

/// The benchmarks' policy with three limits that every request counts for and none runs into: of a user's requests, of a
/// tenant's, and of a model's tokens.
pub(crate) fn policy() -> Result<Policy, Failure> {
    let rule = |name: &str, per, quota| -> Result<LimitRule, Failure> {
        let name = LimitName::parse(name)?;
        Ok(LimitRule { name, per, tier: None, model: None, tenant: None, quota, mode: Mode::Enforced })
    };
    let requests = Quota::requests(Quota::PER_SECOND_MAX, NonZeroU32::MAX)?;
    let per_minute = NonZeroU32::new(Quota::PER_MINUTE_MAX).ok_or("the most is more than nothing")?;
    let tokens = Quota::tokens(per_minute, NonZeroU32::MAX)?;
    let rules = [
        rule("users", Per::User, requests)?,
        rule("tenants", Per::Tenant, requests)?,
        rule("models", Per::Model, tokens)?,
    ];
    Ok(Policy { limits: LimitPolicy { rules: rules.into(), ..LimitPolicy::default() }, ..fleet::policy() })
}
