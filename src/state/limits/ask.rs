//! Which rules is a request asked by, and under which key does each count it?

use std::num::NonZeroU32;

use crate::domain::{
    digest::{Digest, Digester},
    id::{ModelName, UserId},
    limit::{LimitPolicy, LimitRule, Per, Quota, Unit},
    request::{RouteRequest, Tier},
};

/// Keys beyond [`LimitPolicy::keys_max`] that may be shared ones. A service with more tenants than this that are all
/// out of room at once no longer counts the rest.
pub(super) const SHARED_MAX: usize = 4096;

/// One request's wish for units.
#[derive(Clone, Copy)]
pub(super) struct Ask<'a> {
    pub(super) request: &'a RouteRequest,
    pub(super) unit: Unit,
    pub(super) cost: NonZeroU32,
    pub(super) policy: &'a LimitPolicy,
}

/// Which key is taken of.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The one of the value that the rule counts apart.
    Own,
    /// The one of all values of the tenant that have none of their own, for want of room.
    Shared,
}

impl<'a> Ask<'a> {
    /// For one request, as request rules count.
    pub(super) fn for_one(request: &'a RouteRequest, policy: &'a LimitPolicy) -> Self {
        Self { request, unit: Unit::Requests, cost: NonZeroU32::MIN, policy }
    }

    /// For so many tokens; a request that expects none is asked for one, so that debts hold it up too.
    pub(super) fn for_tokens(request: &'a RouteRequest, tokens: u32, policy: &'a LimitPolicy) -> Self {
        Self { request, unit: Unit::Tokens, cost: NonZeroU32::new(tokens).unwrap_or(NonZeroU32::MIN), policy }
    }

    /// The rules that are asked, with their places in the policy.
    pub(super) fn matching(self) -> impl Iterator<Item = (usize, &'a LimitRule)> {
        let asked = move |rule: &LimitRule| rule.quota.unit() == self.unit && rule.matches(self.request);
        self.policy.rules.iter().enumerate().filter(move |(_, rule)| asked(rule))
    }

    /// Which keys to try in turn, and how many keys there may be for a new one.
    pub(super) fn kinds(self) -> [(Kind, usize); 2] {
        let keys_max = self.policy.keys_max;
        [(Kind::Own, keys_max), (Kind::Shared, keys_max.saturating_add(SHARED_MAX))]
    }

    /// The key. The rule is in it with all that makes its counts comparable: another quota counts under other keys.
    pub(super) fn key(self, rule: &LimitRule, kind: Kind, digester: &Digester) -> Digest {
        let counted = match (kind, rule.per) {
            (Kind::Shared, per) => Counted::Shared(per),
            (Kind::Own, Per::User) => Counted::User(self.request.user.as_ref()),
            (Kind::Own, Per::Tenant) => Counted::Tenant,
            (Kind::Own, Per::Tier) => Counted::Tier(self.request.tier),
            (Kind::Own, Per::Model) => Counted::Model(&self.request.model),
        };
        let quota = match rule.quota {
            Quota::Requests { per_second, burst } => (Unit::Requests, per_second.to_bits(), burst),
            Quota::Tokens { per_minute, burst } => (Unit::Tokens, u64::from(per_minute.get()), burst),
        };
        digester.digest(&self.request.key.tenant, &(&rule.name, quota, counted))
    }
}

/// The value that is counted apart, as it is digested.
#[derive(Hash)]
enum Counted<'a> {
    User(Option<&'a UserId>),
    Tenant,
    Tier(Tier),
    Model(&'a ModelName),
    Shared(Per),
}
