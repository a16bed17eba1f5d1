//! What does one kept answer weigh, and to whom does it belong?

use std::{
    borrow::Borrow,
    hash::{Hash, Hasher},
    num::NonZero,
    time::Duration,
};

use super::body::Body;
use crate::domain::{
    answer::{Answer, AnswerBody, AnswerScope, Lifetime, Lookup},
    digest::{Digest, Digester},
    id::{ModelName, ModelVersion, TenantId},
    time::Instant,
};

/// What moka takes for an entry with all that is in it: key, entry, nodes of two lists, table slots and frequency, with
/// what the allocator rounds up. Measured at a million entries by `a_million_references_take_little_memory`.
const ENTRY_BYTES: usize = 376;
/// What an inline answer takes beside its bytes and the name of their type: three allocations.
const INLINE_BYTES: usize = 112;
/// What the allocator takes for a long reference beside its bytes.
const REFERENCE_BYTES: usize = 32;

/// What an answer is found by, and whose it is. As large as one allocation of moka's leaves room for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Key {
    pub(super) digest: Digest,
    /// Half a digest of the tenant, for purges alone.
    tenant: u64,
}

impl Key {
    pub(super) fn new(digest: Digest, digester: &Digester, tenant: &TenantId) -> Self {
        Self { digest, tenant: tenant_mark(digester, tenant) }
    }
}

// The digest alone tells keys apart, so that a lookup needs no more.
impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.digest == other.digest
    }
}

impl Eq for Key {}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.digest.hash(state);
    }
}

impl Borrow<Digest> for Key {
    fn borrow(&self) -> &Digest {
        &self.digest
    }
}

/// One kept answer. Small: names are there as digests alone, and times as milliseconds after it was stored.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    body: Body,
    marks: Marks,
    stored_at: Instant,
    /// Both end after 49 days at the latest.
    fresh_ms: u32,
    stale_ms: u32,
}

// One byte more of either is sixteen more of memory, a million times.
const _: () = assert!(size_of::<Key>() == 24 && size_of::<Entry>() == 64);

impl Entry {
    pub(super) fn new(body: &AnswerBody, stored_at: Instant, lifetime: Lifetime, marks: Marks) -> Self {
        let after = |until: Instant| u32::try_from(until.since(stored_at).as_millis()).unwrap_or(u32::MAX);
        let (fresh_ms, stale_ms) = (after(lifetime.fresh_until), after(lifetime.stale_until));
        Self { body: body.into(), marks, stored_at, fresh_ms, stale_ms }
    }

    /// As it is kept: to the millisecond.
    pub(super) fn lifetime(&self) -> Lifetime {
        let after = |ms: u32| self.stored_at + Duration::from_millis(ms.into());
        Lifetime { fresh_until: after(self.fresh_ms), stale_until: after(self.stale_ms) }
    }

    pub(super) fn at(&self, now: Instant) -> Lookup {
        let lifetime = self.lifetime();
        if now >= lifetime.stale_until {
            return Lookup::Miss;
        }
        let answer = Answer { body: self.body.unpack(), stored_at: self.stored_at, lifetime };
        if now < lifetime.fresh_until { Lookup::Fresh(answer) } else { Lookup::Stale(answer) }
    }

    /// Bytes of memory that the entry takes.
    pub(super) fn weight(&self) -> u32 {
        let elsewhere = match &self.body {
            Body::Inline(inline) => INLINE_BYTES + inline.content_type.as_str().len() + inline.bytes.len(),
            Body::Long(reference) => REFERENCE_BYTES + reference.len(),
            Body::Short(_) => 0,
        };
        u32::try_from(ENTRY_BYTES + elsewhere).unwrap_or(u32::MAX)
    }
}

/// What a purge recognises an entry by, beside its tenant.
///
/// Quarters of digests: should two models of one tenant meet, the purge of one takes the other's answers as well, which
/// costs misses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Marks {
    model: u32,
    /// `None` when asked of any version.
    version: Option<NonZero<u32>>,
}

impl Marks {
    pub(super) fn of(digester: &Digester, scope: &AnswerScope) -> Self {
        let AnswerScope { tenant, model, version, .. } = scope;
        Self {
            model: name_mark(digester, tenant, model).get(),
            version: version.as_ref().map(|version| name_mark(digester, tenant, version)),
        }
    }
}

/// What a purge looks for; `None` means any.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    tenant: u64,
    model: Option<u32>,
    version: Option<NonZero<u32>>,
}

impl Mark {
    pub(super) fn of(
        digester: &Digester,
        tenant: &TenantId,
        model: Option<&ModelName>,
        version: Option<&ModelVersion>,
    ) -> Self {
        Self {
            tenant: tenant_mark(digester, tenant),
            model: model.map(|model| name_mark(digester, tenant, model).get()),
            version: version.map(|version| name_mark(digester, tenant, version)),
        }
    }

    pub(super) fn is_on(&self, key: &Key, entry: &Entry) -> bool {
        self.tenant == key.tenant
            && self.model.is_none_or(|model| model == entry.marks.model)
            && self.version.is_none_or(|version| Some(version) == entry.marks.version)
    }
}

#[expect(clippy::cast_possible_truncation, reason = "half of the digest is meant")]
fn tenant_mark(digester: &Digester, tenant: &TenantId) -> u64 {
    digester.digest(tenant, &()).as_u128() as u64
}

#[expect(clippy::cast_possible_truncation, reason = "a quarter of the digest is meant")]
fn name_mark(digester: &Digester, tenant: &TenantId, name: &impl Hash) -> NonZero<u32> {
    NonZero::new(digester.digest(tenant, name).as_u128() as u32).unwrap_or(NonZero::<u32>::MIN)
}
