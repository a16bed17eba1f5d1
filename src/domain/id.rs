//! Names of things, each its own type so that one cannot stand for another.
//!
//! They are checked where they enter (`parse`) and cheap to clone (shared text).

use std::{borrow::Borrow, fmt, sync::Arc};

use thiserror::Error;

/// Why a name was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NameError {
    /// Nothing was given.
    #[error("must not be empty")]
    Empty,
    /// Longer than the bound.
    #[error("must be at most {0} bytes long")]
    TooLong(usize),
    /// Holds a control character, which would garble logs and tables.
    #[error("must not hold control characters")]
    Control,
    /// Holds a character outside the set of node ids.
    #[error("may hold only letters, digits and . _ : / -")]
    Character,
}

/// Refuses empty, overlong and unprintable names.
pub(super) fn check(text: &str, max: usize) -> Result<(), NameError> {
    if text.is_empty() {
        return Err(NameError::Empty);
    }
    if text.len() > max {
        return Err(NameError::TooLong(max));
    }
    if !is_plain(text) && text.chars().any(char::is_control) {
        return Err(NameError::Control);
    }
    Ok(())
}

/// Whether all of it is ASCII and printable. Most names are, and this is asked of many bytes at once.
fn is_plain(text: &str) -> bool {
    text.bytes().fold(true, |plain, byte| plain & (b' '..=b'~').contains(&byte))
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $max:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Longest accepted name, in bytes.
            pub const MAX_BYTES: usize = $max;

            /// Checks a name.
            pub fn parse(text: &str) -> Result<Self, NameError> {
                check(text, Self::MAX_BYTES)?;
                Ok(Self(text.into()))
            }

            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }
    };
}

name!(
    /// Tenant that a request belongs to; part of every key of its state.
    TenantId, 128
);
name!(
    /// User within a tenant.
    UserId, 128
);
name!(
    /// One request within its tenant.
    RequestId, 128
);
name!(
    /// Model, as nodes declare it and requests ask for it.
    ModelName, 256
);
name!(
    /// Version of a model.
    ModelVersion, 256
);
name!(
    /// Adapter (`LoRA`) that a request wants on top of its model.
    AdapterName, 256
);
name!(
    /// One conversation within a tenant: each prompt of it begins with the one before.
    SessionId, 128
);
name!(
    /// Rule of the rate limits; the operator's word, shown to those who run into it.
    LimitName, 64
);

/// One node of the fleet.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(Arc<str>);

impl NodeId {
    /// Longest accepted id, in bytes.
    pub const MAX_BYTES: usize = 128;

    /// Checks an id: it appears in URLs, labels and shell commands, so its alphabet is narrow.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        check(text, Self::MAX_BYTES)?;
        let allowed = |c: char| c.is_ascii_alphanumeric() || "._:/-".contains(c);
        if !text.chars().all(allowed) {
            return Err(NameError::Character);
        }
        Ok(Self(text.into()))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A table of nodes can be asked by their text.
impl Borrow<str> for NodeId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// What the table of nodes knows a node by. Given once (in 4 billion): a node that was forgotten and comes again has another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct NodeNumber(pub u32);

/// One pick of one request: two attempts of a request have two leases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LeaseId(pub u64);

impl fmt::Display for LeaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl LeaseId {
    /// What [`Display`](fmt::Display) writes.
    pub fn digits(self) -> [u8; 16] {
        std::array::from_fn(|place| b"0123456789abcdef"[(self.0 >> (60 - 4 * place) & 15) as usize])
    }

    /// Reads what [`Display`](fmt::Display) writes.
    pub fn parse(text: &str) -> Option<Self> {
        u64::from_str_radix(text, 16).ok().map(Self)
    }
}

impl TenantId {
    /// The tenant of requests that name none.
    pub const DEFAULT: &'static str = "default";
}

#[cfg(test)]
mod tests;
