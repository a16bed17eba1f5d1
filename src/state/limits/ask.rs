//! Which rules is a request asked by, and under which key does each count it?

use std::num::NonZeroU32;

use super::ready::{List, Ready};
use crate::domain::{
    digest::{Digest, Digester},
    id::UserId,
    limit::{LimitPolicy, LimitRule, Per, Unit},
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

    /// The rules that are asked.
    pub(super) fn matching(self, rules: &List) -> impl Iterator<Item = (&LimitRule, &Ready)> {
        rules.iter().filter(move |(rule, _)| rule.quota.unit() == self.unit && rule.matches(self.request))
    }

    /// Which keys to try in turn, and how many keys there may be for a new one.
    pub(super) fn kinds(self) -> [(Kind, usize); 2] {
        let keys_max = self.policy.keys_max;
        [(Kind::Own, keys_max), (Kind::Shared, keys_max.saturating_add(SHARED_MAX))]
    }

    /// The key among those of a rule that counts so.
    pub(super) fn key(self, per: Per, kind: Kind, keys: &Digester) -> Digest {
        let counted = match (kind, per) {
            (Kind::Shared, _) => Counted::Shared,
            (Kind::Own, Per::User) => Counted::Name(self.request.user.as_ref().map_or("", UserId::as_str)),
            (Kind::Own, Per::Model) => Counted::Name(self.request.model.as_str()),
            (Kind::Own, Per::Tier) => Counted::Tier(self.request.tier),
            (Kind::Own, Per::Tenant) => Counted::All,
        };
        keys.digest(&self.request.key.tenant, &counted)
    }
}

/// The value that is counted apart, as it is digested. Which of a rule's it is, the rule's digester knows.
#[derive(Hash)]
enum Counted<'a> {
    Name(&'a str),
    Tier(Tier),
    All,
    Shared,
}
