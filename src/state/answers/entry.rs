//! What does one kept answer weigh, and to whom does it belong?

use std::num::NonZero;

use crate::domain::{
    answer::{Answer, AnswerBody, AnswerScope, Lifetime, Lookup},
    digest::Digester,
    id::{ModelName, ModelVersion, TenantId},
    time::Instant,
};

/// What moka takes for an entry beside its body: key, nodes of two lists, table slot and frequency, with what the
/// allocator rounds up. Measured at a million entries by `a_million_references_take_little_memory`.
const ENTRY_BYTES: usize = 330;
/// What the allocator and the reference counts take for a shared run of bytes beside the bytes themselves.
const SHARED_BYTES: usize = 32;

/// One kept answer, small: the names it belongs to are there as digests alone.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) body: AnswerBody,
    pub(super) stored_at: Instant,
    pub(super) lifetime: Lifetime,
    pub(super) marks: Marks,
}

impl Entry {
    pub(super) fn at(&self, now: Instant) -> Lookup {
        if now >= self.lifetime.stale_until {
            return Lookup::Miss;
        }
        let answer =
            Answer { body: self.body.clone(), stored_at: self.stored_at, lifetime: self.lifetime };
        if now < self.lifetime.fresh_until { Lookup::Fresh(answer) } else { Lookup::Stale(answer) }
    }

    /// Bytes of memory that the entry takes.
    pub(super) fn weight(&self) -> u32 {
        let body = match &self.body {
            AnswerBody::Inline { content_type, bytes } => {
                content_type.as_str().len() + bytes.len() + 2 * SHARED_BYTES
            }
            AnswerBody::Reference(name) => name.len() + SHARED_BYTES,
        };
        u32::try_from(ENTRY_BYTES + body).unwrap_or(u32::MAX)
    }
}

/// What a purge recognises an entry by. Half a digest each: should two meet, a purge takes an answer too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Marks {
    tenant: NonZero<u64>,
    model: NonZero<u64>,
    version: Option<NonZero<u64>>,
}

/// What a purge looks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    Tenant(NonZero<u64>),
    Model(NonZero<u64>),
    Version(NonZero<u64>),
}

impl Marks {
    pub(super) fn of(digester: &Digester, scope: &AnswerScope) -> Self {
        let AnswerScope { tenant, model, version, .. } = scope;
        let version = version.as_ref();
        Self {
            tenant: half(digester, tenant, None, None),
            model: half(digester, tenant, Some(model), None),
            version: version.map(|version| half(digester, tenant, Some(model), Some(version))),
        }
    }

    pub(super) fn bear(&self, mark: Mark) -> bool {
        match mark {
            Mark::Tenant(tenant) => self.tenant == tenant,
            Mark::Model(model) => self.model == model,
            Mark::Version(version) => self.version == Some(version),
        }
    }
}

impl Mark {
    pub(super) fn tenant(digester: &Digester, tenant: &TenantId) -> Self {
        Self::Tenant(half(digester, tenant, None, None))
    }

    pub(super) fn model(digester: &Digester, tenant: &TenantId, model: &ModelName) -> Self {
        Self::Model(half(digester, tenant, Some(model), None))
    }

    pub(super) fn version(
        digester: &Digester,
        tenant: &TenantId,
        model: &ModelName,
        version: &ModelVersion,
    ) -> Self {
        Self::Version(half(digester, tenant, Some(model), Some(version)))
    }
}

fn half(
    digester: &Digester,
    tenant: &TenantId,
    model: Option<&ModelName>,
    version: Option<&ModelVersion>,
) -> NonZero<u64> {
    let digest = digester.digest(tenant, &(model, version)).as_u128();
    // Half of it, so that an entry stays small.
    NonZero::new((digest >> 64) as u64).unwrap_or(NonZero::<u64>::MIN)
}
