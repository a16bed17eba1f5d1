//! What is kept of a model's answer, whose is it, and how long does it last?
//!
//! An answer is found by everything that shaped it: tenant, request type, model, version and the
//! [`Fingerprint`] of all parameters of the request. Whatever of these differs, it is another answer.

pub mod fingerprint;
pub mod policy;

use std::{fmt, sync::Arc, time::Duration};

use thiserror::Error;

use super::{
    id::{self, ModelName, ModelVersion, NameError, TenantId},
    node::RequestType,
    request::RequestKey,
    time::Instant,
};
use fingerprint::Fingerprint;

/// Names one answer among all tenants.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AnswerKey {
    /// Whose it is and who gave it.
    pub scope: AnswerScope,
    /// What was asked.
    pub fingerprint: Fingerprint,
}

/// Whose an answer is and who gave it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AnswerScope {
    /// Tenant that asked; another one never gets the answer.
    pub tenant: TenantId,
    /// Kind of work.
    pub request_type: RequestType,
    /// Model that was asked for.
    pub model: ModelName,
    /// Version that was asked for; `None` means any, and is not the same as the one that happened to answer.
    pub version: Option<ModelVersion>,
}

/// The answer itself, or where the gateway keeps it.
#[derive(Clone, PartialEq, Eq)]
pub enum AnswerBody {
    /// The answer, byte for byte.
    Inline(Arc<InlineAnswer>),
    /// A name that only the gateway understands; at most
    /// [`reference_bytes_max`](policy::AnswerPolicy::reference_bytes_max).
    Reference(Arc<str>),
}

/// An answer, byte for byte.
#[derive(Clone, PartialEq, Eq)]
pub struct InlineAnswer {
    /// What the bytes are.
    pub content_type: ContentType,
    /// At most [`body_bytes_max`](policy::AnswerPolicy::body_bytes_max). Their own allocation: a slice of a message would
    /// keep the whole message in memory.
    pub bytes: Box<[u8]>,
}

/// Answers are the tenant's own affair: a log shows what kind they are and how long.
impl fmt::Debug for AnswerBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Inline(inline) => inline.fmt(f),
            Self::Reference(name) => write!(f, "Reference({} bytes)", name.len()),
        }
    }
}

/// As [`AnswerBody`].
impl fmt::Debug for InlineAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Inline({}, {} bytes)", self.content_type, self.bytes.len())
    }
}

/// Media type of an inline answer, such as `application/json`.
#[derive(Clone, PartialEq, Eq)]
pub struct ContentType(Arc<str>);

impl ContentType {
    /// Longest accepted media type, in bytes.
    pub const MAX_BYTES: usize = 128;

    /// Checks a media type. Its grammar is between the gateway and its callers.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        id::check(text, Self::MAX_BYTES)?;
        Ok(Self(text.into()))
    }

    /// The media type as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ContentType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ContentType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// How soon the truth moves on from an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Volatility {
    /// As usual for its request type.
    #[default]
    Usual,
    /// It stays true: kept long.
    Fact,
    /// It is of the moment: kept briefly, and never served once that is over.
    Live,
}

/// An answer to keep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAnswer {
    /// The answer.
    pub body: AnswerBody,
    /// How soon it grows old.
    pub volatility: Volatility,
    /// How long it is fresh, before jitter; `None` means as long as the volatility says. Capped at
    /// [`ttl_max`](policy::AnswerPolicy::ttl_max).
    pub ttl: Option<Duration>,
}

/// A kept answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The answer, as it was stored.
    pub body: AnswerBody,
    /// When it was stored.
    pub stored_at: Instant,
    /// How long it lasts.
    pub lifetime: Lifetime,
}

/// Until when an answer may be served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lifetime {
    /// Before this moment to everyone.
    pub fresh_until: Instant,
    /// Before this moment to those who would get nothing better; never before `fresh_until`.
    pub stale_until: Instant,
}

/// What was found under a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lookup {
    /// An answer for everyone.
    Fresh(Answer),
    /// An answer that has expired, for those who would get nothing better.
    Stale(Answer),
    /// Nothing that may be served.
    Miss,
}

/// Whose request is on its way to a node with a question that others ask too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leader {
    /// The request.
    pub request: RequestKey,
    /// When the others no longer wait for it.
    pub until: Instant,
}

/// Which answers to let go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PurgeScope {
    /// All of a tenant.
    Tenant(TenantId),
    /// Those of a model, whatever the version.
    Model(TenantId, ModelName),
    /// Those that were asked of this version; those asked of any version stay.
    Version(TenantId, ModelName, ModelVersion),
    /// This one.
    Answer(AnswerKey),
}

/// Why an answer was not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum StoreRefusal {
    /// The answer itself is too long.
    #[error("the answer has {bytes} bytes, at most {bytes_max} are kept; store a reference to it instead")]
    BodyTooLong {
        /// Its length.
        bytes: usize,
        /// The bound.
        bytes_max: usize,
    },
    /// The reference is too long.
    #[error("the reference has {bytes} bytes, at most {bytes_max} are kept")]
    ReferenceTooLong {
        /// Its length.
        bytes: usize,
        /// The bound.
        bytes_max: usize,
    },
}

#[cfg(test)]
mod tests;
