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

/// Kinds of fields that are written here: numbers, and what has a length before it.
const VARINT: u8 = 0;
const LENGTH_DELIMITED: u8 = 2;

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
            present(out, 11, u64::from(tokens));
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
pub fn message(out: &mut Vec<u8>, tag: u8, fields: &impl Fields) {
    // Short messages have a length of one byte.
    out.extend_from_slice(&[key(tag, LENGTH_DELIMITED), 0]);
    let start = out.len();
    fields.put(out);
    let length = out.len() - start;
    if let Some(length) = one_byte(length as u64) {
        out[start - 1] = length;
        return;
    }
    let (bytes, count) = digits(length as u64);
    out.extend_from_slice(&bytes[1..count]);
    out.copy_within(start..start + length, start + count - 1);
    out[start - 1..start - 1 + count].copy_from_slice(&bytes[..count]);
}

/// A text in a field.
pub fn text(out: &mut Vec<u8>, tag: u8, text: &str) {
    text_bytes(out, tag, text.as_bytes());
}

fn text_bytes(out: &mut Vec<u8>, tag: u8, text: &[u8]) {
    if !text.is_empty() {
        pair(out, key(tag, LENGTH_DELIMITED), text.len() as u64);
        out.extend_from_slice(text);
    }
}

/// Zero is what is read where nothing is written.
fn number(out: &mut Vec<u8>, tag: u8, number: u64) {
    if number != 0 {
        present(out, tag, number);
    }
}

/// Zero is a number, too.
fn present(out: &mut Vec<u8>, tag: u8, number: u64) {
    pair(out, key(tag, VARINT), number);
}

/// A key, and the number that stands behind it: itself, or the length of what follows.
fn pair(out: &mut Vec<u8>, key: u8, number: u64) {
    if let Some(byte) = one_byte(number) {
        return out.extend_from_slice(&[key, byte]);
    }
    let (bytes, count) = digits(number);
    out.push(key);
    out.extend_from_slice(&bytes[..count]);
}

/// What stands before a field. All tags here are below 16, so that it is one byte.
const fn key(tag: u8, kind: u8) -> u8 {
    assert!(tag < 16);
    tag << 3 | kind
}

fn one_byte(number: u64) -> Option<u8> {
    u8::try_from(number).ok().filter(|byte| *byte < 0x80)
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
