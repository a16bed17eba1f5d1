//! What stands for a key that is too long to keep, so that maps of millions stay small?
//!
//! 128 bits of `SipHash-1-3` (as the standard library's maps use it) over the tenant and its key, under a secret of this
//! process: nobody who chooses names can make two keys meet, and no key of one tenant says anything of another's. Among
//! 2^32 keys two collide with a chance of 2^-65.

use std::hash::{BuildHasherDefault, Hash, Hasher};

use siphasher::sip128::{Hash128, Hasher128, SipHasher13};

use super::id::TenantId;

/// Stands for one key of one tenant. In two halves: a whole would be aligned to 16 bytes, and pad what holds it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Digest {
    high: u64,
    low: u64,
}

impl Digest {
    /// The digest as a number.
    pub fn as_u128(self) -> u128 {
        (u128::from(self.high) << 64) | u128::from(self.low)
    }

    /// The upper half and the lower half.
    pub fn halves(self) -> (u64, u64) {
        (self.high, self.low)
    }
}

/// Secrets do not belong into logs, and a digest is one: who knows it can ask for it.
impl std::fmt::Debug for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:08x}…", self.high >> 32)
    }
}

impl Hash for Digest {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.low);
    }
}

/// How maps hash a digest: not at all.
pub type AsIs = BuildHasherDefault<AlreadyMixed>;

/// The hash of what is a keyed hash already: itself.
#[derive(Debug, Default, Clone, Copy)]
pub struct AlreadyMixed(u64);

impl Hasher for AlreadyMixed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        debug_assert!(false, "a digest hashes as one word, not as {} bytes", bytes.len());
    }

    fn write_u64(&mut self, word: u64) {
        self.0 = word;
    }
}

/// Makes digests; lives as long as the maps that hold them.
#[derive(Clone, Copy, Default)]
pub struct Digester {
    secret: u128,
}

impl Digester {
    /// Digests that only holders of the secret can foresee.
    pub const fn with_secret(secret: u128) -> Self {
        Self { secret }
    }

    /// Digests that are never like any of these, nor like those of another part. (A keyed hash is the key of the next: Bellare,
    /// Canetti and Krawczyk, "Pseudorandom functions revisited: the cascade construction".)
    pub fn apart(&self, part: &impl Hash) -> Self {
        Self::with_secret(self.digest_whole(part).as_u128())
    }

    /// The digest of a tenant's key. The key's own [`Hash`] tells its parts apart.
    pub fn digest(&self, tenant: &TenantId, key: &impl Hash) -> Digest {
        self.digest_whole(&(tenant, key))
    }

    /// The digest of a key that names its tenant itself.
    pub fn digest_whole(&self, key: &impl Hash) -> Digest {
        sip(self.secret, key)
    }
}

impl std::fmt::Debug for Digester {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Digester")
    }
}

/// Spreads a number over all 64 bits, for those that choose no names (the finish of `SplitMix64`: Steele et al., "Fast
/// splittable pseudorandom number generators").
pub fn spread(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

fn sip(secret: u128, key: &impl Hash) -> Digest {
    let mut hasher = SipHasher13::new_with_key(&secret.to_le_bytes());
    key.hash(&mut hasher);
    // A name and its end are hashed, so that no name is the beginning of another.
    hasher.write_u8(0xff);
    let Hash128 { h1: low, h2: high } = hasher.finish128();
    Digest { high, low }
}

#[cfg(test)]
mod tests;
