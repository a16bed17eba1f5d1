//! How does a decision go over the wire without a copy of each name in it?
//!
//! Nearly all decisions are routes, and as a message each is a dozen strings that live for a microsecond. So routes are
//! written field by field; what is seldom goes as a message. A test holds the two against each other.

use std::time::Duration;

use prost::Message;

use super::decision::{self, rung};
use crate::{
    domain::{
        decision::{Decision, Granted, Route, Target},
        id::RequestId,
    },
    wire,
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
    fn put(&self, out: &mut Vec<u8>);
}

/// Numbers of fields that are written here: of lengths, not of numbers.
const LENGTH_DELIMITED: u64 = 2;

impl Told {
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
    fn put(&self, out: &mut Vec<u8>) {
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
    fn put(&self, out: &mut Vec<u8>) {
        self.targets.best().put(out);
        for fallback in self.targets.fallbacks() {
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
    fn put(&self, out: &mut Vec<u8>) {
        text(out, 1, self.node());
        text(out, 2, self.endpoint());
    }
}

/// `google.protobuf.Duration`.
impl Fields for Duration {
    fn put(&self, out: &mut Vec<u8>) {
        let prost_types::Duration { seconds, nanos } = wire::duration(*self);
        number(out, 1, seconds.cast_unsigned());
        number(out, 2, u64::from(nanos.cast_unsigned()));
    }
}

/// A message that somebody else writes.
pub struct Generated<'a, M>(pub &'a M);

impl<M: Message> Fields for Generated<'_, M> {
    fn put(&self, out: &mut Vec<u8>) {
        self.0.encode_raw(out);
    }
}

/// A message in a field. Its length is known once it is written: nothing is gone through twice, however deep it lies.
pub fn message(out: &mut Vec<u8>, tag: u64, fields: &impl Fields) {
    key(out, tag, LENGTH_DELIMITED);
    let start = out.len();
    // Short messages have a length of one byte.
    out.push(0);
    fields.put(out);
    let length = out.len() - start - 1;
    let (bytes, count) = digits(length as u64);
    if count > 1 {
        out.extend_from_slice(&bytes[1..count]);
        out.copy_within(start + 1..start + 1 + length, start + count);
    }
    out[start..start + count].copy_from_slice(&bytes[..count]);
}

/// A text in a field.
pub fn text(out: &mut Vec<u8>, tag: u64, text: &str) {
    text_bytes(out, tag, text.as_bytes());
}

fn text_bytes(out: &mut Vec<u8>, tag: u64, text: &[u8]) {
    if !text.is_empty() {
        key(out, tag, LENGTH_DELIMITED);
        varint(out, text.len() as u64);
        out.extend_from_slice(text);
    }
}

/// Zero is what is read where nothing is written.
fn number(out: &mut Vec<u8>, tag: u64, number: u64) {
    if number != 0 {
        key(out, tag, 0);
        varint(out, number);
    }
}

fn key(out: &mut Vec<u8>, tag: u64, kind: u64) {
    varint(out, tag << 3 | kind);
}

fn varint(out: &mut Vec<u8>, number: u64) {
    match u8::try_from(number) {
        Ok(byte) if byte < 0x80 => out.push(byte),
        _ => {
            let (bytes, count) = digits(number);
            out.extend_from_slice(&bytes[..count]);
        }
    }
}

/// Seven bits at a time, the lowest first; all but the last have the eighth set. And how many bytes that makes.
#[expect(clippy::cast_possible_truncation, reason = "the low bits are meant")]
fn digits(number: u64) -> ([u8; 10], usize) {
    let (mut bytes, mut count, mut rest) = ([0; 10], 0, number);
    while rest >= 0x80 {
        bytes[count] = rest as u8 | 0x80;
        rest >>= 7;
        count += 1;
    }
    bytes[count] = rest as u8;
    (bytes, count + 1)
}

#[cfg(test)]
mod tests;
