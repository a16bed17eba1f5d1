//! Which prompts may share a beginning, and by what keys?
//!
//! A gateway's hashes say how a prompt begins, but not whose it is, and anybody can send any. So a key is the hash mixed
//! with a digest of tenant, model and adapter that only this process can make: tenants that send the same hash have
//! different keys, and nobody can find two hashes whose keys meet, nor make theirs fall together in the tables that
//! hold them.
//!
//! The mixing is a keyed permutation of 64 bits (whitening, a secret odd factor, two shifts, a public odd factor), since
//! a digest for each of thousands of blocks would be the dearest part of a decision: hashes that differ have keys that
//! differ.

use super::{BlockKey, PrefixPolicy};
use crate::domain::{
    digest::{Digest, Digester},
    id::{AdapterName, ModelName, SessionId, TenantId},
};

/// Spreads what the secret factor leaves in the upper bits: 2^64 over the golden ratio, odd.
const FACTOR: u64 = 0x9E37_79B9_7F4A_7C15;

/// The prompts whose blocks a node can use for each other: of one tenant, for one model and adapter.
#[derive(Debug, Clone, Copy)]
pub struct BlockScope<'a> {
    /// Tenant.
    pub tenant: &'a TenantId,
    /// Model.
    pub model: &'a ModelName,
    /// Adapter on top of it; `None` means the model alone.
    pub adapter: Option<&'a AdapterName>,
}

impl BlockScope<'_> {
    /// The keys of blocks that a gateway has hashed, in their order; beyond [`PrefixPolicy::BLOCKS_MAX`] they are left out.
    pub fn of_hashes(&self, hashes: &[u64], digester: &Digester) -> Vec<BlockKey> {
        let secret = digester.digest(self.tenant, &("hashes", self.model, self.adapter));
        hashes.iter().take(PrefixPolicy::BLOCKS_MAX).map(|hash| mixed(*hash, secret)).collect()
    }

    /// The keys of so many blocks that are a session's own; beyond [`PrefixPolicy::BLOCKS_MAX`] they are left out. A longer
    /// prompt has those of a shorter one, and more.
    pub fn of_session(&self, session: &SessionId, blocks: u32, digester: &Digester) -> Vec<BlockKey> {
        let secret = digester.digest(self.tenant, &("session", self.model, self.adapter, session));
        let numbers = (0..u64::from(blocks)).take(PrefixPolicy::BLOCKS_MAX);
        numbers.map(|number| mixed(number, secret)).collect()
    }
}

/// One key: each step can be undone, so that no two blocks get the same.
fn mixed(block: u64, secret: Digest) -> BlockKey {
    let (whitening, factor) = secret.halves();
    let mut key = block ^ whitening;
    key ^= key >> 32;
    key = key.wrapping_mul(factor | 1);
    key ^= key >> 29;
    key = key.wrapping_mul(FACTOR);
    BlockKey::new(key ^ (key >> 32))
}

#[cfg(test)]
mod tests;
