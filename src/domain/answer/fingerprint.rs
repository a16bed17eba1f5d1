//! What stands for everything that was asked, so that two requests are the same question or are not?
//!
//! 128 bits of SHA-256 over the canonical form of the whole request: every message, not the last one alone, the system
//! prompt, the tools and the sampling parameters. The gateway computes it, because only the gateway sees the request;
//! `tests/fingerprint/README.md` says how, with vectors to check against.

use std::fmt;

use sha2::{Digest as _, Sha256};
use thiserror::Error;

/// Stands for all parameters that shape an answer.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 16]);

/// Why something is no fingerprint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum FingerprintError {
    /// Another length.
    #[error("must be {length} bytes long, got {0}", length = Fingerprint::BYTES)]
    Length(usize),
    /// All zero, as what a gateway forgot to fill in: every question would get the same answer.
    #[error("must not be all zero: compute it from the request")]
    Zero,
}

impl Fingerprint {
    /// Length in bytes.
    pub const BYTES: usize = 16;

    /// Checks what a gateway sent.
    pub fn try_from_bytes(bytes: &[u8]) -> Result<Self, FingerprintError> {
        let bytes: [u8; Self::BYTES] = bytes.try_into().map_err(|_| FingerprintError::Length(bytes.len()))?;
        if bytes == [0; Self::BYTES] {
            return Err(FingerprintError::Zero);
        }
        Ok(Self(bytes))
    }

    /// The fingerprint of a request in canonical form (RFC 8785): the first half of its SHA-256.
    pub fn of_canonical(request: &[u8]) -> Self {
        let hash = Sha256::digest(request);
        let mut first = [0; Self::BYTES];
        first.copy_from_slice(&hash[..Self::BYTES]);
        Self(first)
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8; Self::BYTES] {
        &self.0
    }
}

/// In hex.
impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A guessed prompt could be checked against a whole fingerprint: a log shows a quarter of it.
impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0[..4].iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
        f.write_str("…")
    }
}

#[cfg(test)]
mod tests;
