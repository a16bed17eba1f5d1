//! What was asked: the flags that name a request by its fingerprint or by its canonical form.

use std::str::FromStr;

use clap::Args;

use super::{fault::Fault, source::Source};
use crate::proto::{pick_node_request, purge_answers_request, store_answer_request};

/// Most bytes of a canonical request, as the API says: 128 KiB.
pub const CANONICAL_BYTES_MAX: usize = 128 * 1024;

/// Flags that name what was asked; at most one is given.
#[derive(Debug, Args)]
#[group(multiple = false)]
pub struct QuestionFlags {
    /// Fingerprint of everything that shapes the answer: the first 16 bytes of the SHA-256 of the canonical request,
    /// as 32 hex digits.
    #[arg(long, value_name = "HEX32")]
    fingerprint: Option<Fingerprint>,
    /// The canonical request itself, up to 128 KiB, from a file or from standard input (`-`).
    #[arg(long, value_name = "FILE")]
    canonical_request: Option<Source>,
}

/// 32 hex digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint([u8; 16]);

impl FromStr for Fingerprint {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // The parser of numbers would take a sign.
        let is_hex = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let parsed = is_hex.then(|| u128::from_str_radix(text, 16).ok()).flatten();
        parsed.map(|number| Self(number.to_be_bytes())).ok_or_else(|| {
            format!(
                "write 32 hex digits, 16 bytes of a SHA-256; these are {} characters",
                text.chars().count()
            )
        })
    }
}

/// What was asked, as it goes over the wire; each request has its own type for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// By its fingerprint, 16 bytes.
    Fingerprint(Vec<u8>),
    /// By its canonical form.
    CanonicalRequest(Vec<u8>),
}

impl QuestionFlags {
    /// Whether it will be read from standard input.
    pub fn reads_stdin(&self) -> bool {
        self.canonical_request == Some(Source::Stdin)
    }

    /// Reads what was asked; `None` if no flag was given.
    pub fn read(&self) -> Result<Option<Question>, Fault> {
        if let Some(Fingerprint(bytes)) = self.fingerprint {
            return Ok(Some(Question::Fingerprint(bytes.to_vec())));
        }
        let Some(source) = &self.canonical_request else { return Ok(None) };
        let bytes = source.read("--canonical-request", CANONICAL_BYTES_MAX)?;
        if bytes.is_empty() {
            let hint = "an empty request has no answer: check what writes it";
            return Err(Fault::new(format!("{source} holds no canonical request")).hint(hint));
        }
        Ok(Some(Question::CanonicalRequest(bytes)))
    }
}

impl From<Question> for pick_node_request::Question {
    fn from(question: Question) -> Self {
        match question {
            Question::Fingerprint(bytes) => Self::Fingerprint(bytes),
            Question::CanonicalRequest(bytes) => Self::CanonicalRequest(bytes),
        }
    }
}

impl From<Question> for store_answer_request::Question {
    fn from(question: Question) -> Self {
        match question {
            Question::Fingerprint(bytes) => Self::Fingerprint(bytes),
            Question::CanonicalRequest(bytes) => Self::CanonicalRequest(bytes),
        }
    }
}

impl From<Question> for purge_answers_request::Question {
    fn from(question: Question) -> Self {
        match question {
            Question::Fingerprint(bytes) => Self::Fingerprint(bytes),
            Question::CanonicalRequest(bytes) => Self::CanonicalRequest(bytes),
        }
    }
}

#[cfg(test)]
mod tests;
