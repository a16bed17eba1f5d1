//! How does an answer lie in memory?
//!
//! Names are short, and a name in an allocation of its own takes half as much again as the name: a short one lies in the
//! entry itself.

use std::sync::Arc;

use crate::domain::answer::{AnswerBody, InlineAnswer};

/// An answer as an entry holds it.
#[derive(Debug, Clone)]
pub(super) enum Body {
    Inline(Arc<InlineAnswer>),
    Short(ShortText),
    Long(Arc<str>),
}

impl Body {
    /// As it was stored.
    pub(super) fn unpack(&self) -> AnswerBody {
        match self {
            Self::Inline(inline) => AnswerBody::Inline(Arc::clone(inline)),
            Self::Short(reference) => AnswerBody::Reference(reference.as_str().into()),
            Self::Long(reference) => AnswerBody::Reference(Arc::clone(reference)),
        }
    }
}

impl From<&AnswerBody> for Body {
    fn from(body: &AnswerBody) -> Self {
        match body {
            AnswerBody::Inline(inline) => Self::Inline(Arc::clone(inline)),
            AnswerBody::Reference(reference) => {
                ShortText::pack(reference).map_or_else(|| Self::Long(Arc::clone(reference)), Self::Short)
            }
        }
    }
}

/// Text of at most [`Self::BYTES_MAX`] bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct ShortText {
    length: u8,
    bytes: [u8; Self::BYTES_MAX],
}

impl ShortText {
    /// What an entry has room for: a UUID, or 128 bits in hex, with a little before it.
    const BYTES_MAX: usize = 38;

    fn pack(text: &str) -> Option<Self> {
        let mut bytes = [0; Self::BYTES_MAX];
        bytes.get_mut(..text.len())?.copy_from_slice(text.as_bytes());
        Some(Self { length: u8::try_from(text.len()).ok()?, bytes })
    }

    fn as_str(&self) -> &str {
        str::from_utf8(&self.bytes[..usize::from(self.length)]).expect("it was packed from text")
    }
}

#[cfg(test)]
mod tests;
