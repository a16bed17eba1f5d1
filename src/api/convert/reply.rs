//! How does a decision go over the wire without a copy of each name in it?
//!
//! Nearly all decisions are routes, and as a message each is a dozen strings that live for a microsecond. So routes are
//! written field by field; what is seldom goes as a message. A test holds the two against each other.

use std::time::Duration;

use prost::{Message, bytes::BytesMut};

use super::decision::{self, rung};
use crate::{
    domain::{
        decision::{Decision, Granted, Route, Target},
        id::RequestId,
    },
    proto, wire,
};

/// A decision on its way to who asked.
#[derive(Debug)]
pub struct Told {
    /// The request.
    pub request: RequestId,
    /// What was decided.
    pub decision: Decision,
}

/// What is written as the fields of a message.
pub trait Fields {
    /// Writes them.
    fn put(&self, out: &mut impl Out);
}

/// Where fields are written, or only counted: a message stands behind its length.
pub trait Out {
    /// The next bytes.
    fn bytes(&mut self, bytes: &[u8]);
    /// The fields of a message.
    fn fields(&mut self, message: &impl Message);
}

/// So many bytes were written.
struct Length(u64);

impl Out for Length {
    fn bytes(&mut self, bytes: &[u8]) {
        self.0 += bytes.len() as u64;
    }

    fn fields(&mut self, message: &impl Message) {
        self.0 += message.encoded_len() as u64;
    }
}

impl Out for BytesMut {
    fn bytes(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }

    fn fields(&mut self, message: &impl Message) {
        message.encode_raw(self);
    }
}

/// Numbers of fields that are written here: of lengths, not of numbers.
const LENGTH_DELIMITED: u64 = 2;

impl Told {
    /// As a message.
    pub fn message(self) -> proto::PickNodeResponse {
        decision::decision(&self.request, self.decision)
    }

    /// The route, where there is nothing to say but that.
    fn route(&self) -> Option<&Route> {
        match &self.decision.outcome {
            Ok(Granted::Route(route)) if self.decision.explanation.is_none() => Some(route),
            _ => None,
        }
    }
}

/// `PickNodeResponse`.
impl Fields for Told {
    fn put(&self, out: &mut impl Out) {
        let Some(route) = self.route() else {
            return Generated(&decision::decision(&self.request, self.decision.clone())).put(out);
        };
        text(out, 1, self.request.as_str());
        message(out, 2, route);
        number(out, 4, rung(self.decision.rung) as u64);
    }
}

/// `Route`.
impl Fields for Route {
    fn put(&self, out: &mut impl Out) {
        self.target.put(out);
        for fallback in &self.fallbacks {
            message(out, 3, fallback);
        }
        if let Some(lease) = self.lease {
            text_bytes(out, 4, &lease.id.digits());
            message(out, 5, &lease.ttl);
        }
        if let Some(latency) = &self.expected_first_token_latency {
            message(out, 6, latency);
        }
        message(out, 7, &self.first_token_target);
        number(out, 8, u64::from(self.spilled));
        number(out, 9, u64::from(self.repeated));
        text(out, 10, self.model.as_str());
        if let Some(tokens) = self.expected_cached_tokens {
            key(out, 11, 0);
            varint(out, u64::from(tokens));
        }
        text(out, 12, self.balance.name());
    }
}

/// `Fallback`, and the beginning of `Route`.
impl Fields for Target {
    fn put(&self, out: &mut impl Out) {
        text(out, 1, self.node());
        text(out, 2, self.endpoint());
    }
}

/// `google.protobuf.Duration`.
impl Fields for Duration {
    fn put(&self, out: &mut impl Out) {
        let prost_types::Duration { seconds, nanos } = wire::duration(*self);
        number(out, 1, seconds.cast_unsigned());
        number(out, 2, u64::from(nanos.cast_unsigned()));
    }
}

/// A message that somebody else writes.
pub struct Generated<'a, M>(pub &'a M);

impl<M: Message> Fields for Generated<'_, M> {
    fn put(&self, out: &mut impl Out) {
        out.fields(self.0);
    }
}

/// A message in a field.
pub fn message(out: &mut impl Out, tag: u64, fields: &impl Fields) {
    let mut length = Length(0);
    fields.put(&mut length);
    key(out, tag, LENGTH_DELIMITED);
    varint(out, length.0);
    fields.put(out);
}

fn text(out: &mut impl Out, tag: u64, text: &str) {
    text_bytes(out, tag, text.as_bytes());
}

fn text_bytes(out: &mut impl Out, tag: u64, text: &[u8]) {
    if !text.is_empty() {
        key(out, tag, LENGTH_DELIMITED);
        varint(out, text.len() as u64);
        out.bytes(text);
    }
}

/// Zero is what is read where nothing is written.
fn number(out: &mut impl Out, tag: u64, number: u64) {
    if number != 0 {
        key(out, tag, 0);
        varint(out, number);
    }
}

fn key(out: &mut impl Out, tag: u64, kind: u64) {
    varint(out, tag << 3 | kind);
}

/// Seven bits at a time, the lowest first; all but the last have the eighth set.
#[expect(clippy::cast_possible_truncation, reason = "the low bits are meant")]
fn varint(out: &mut impl Out, number: u64) {
    let (mut bytes, mut count, mut rest) = ([0; 10], 0, number);
    while rest >= 0x80 {
        bytes[count] = rest as u8 | 0x80;
        rest >>= 7;
        count += 1;
    }
    bytes[count] = rest as u8;
    out.bytes(&bytes[..=count]);
}

#[cfg(test)]
mod tests;
