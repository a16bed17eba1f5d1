//! Proto ⇄ domain: what comes in is checked here once, field by field, and nowhere else.

pub mod answer;
pub mod cache;
pub mod decision;
pub mod explanation;
pub mod limit;
pub mod load;
mod names;
pub mod node;
pub mod outcome;
pub mod rejection;
pub mod reply;
pub mod request;

use std::{
    fmt::{Display, Write},
    time::Duration,
};

use crate::{domain::id::LeaseId, proto};

/// A message with malformed fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invalid(pub Vec<Violation>);

/// A malformed field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Its path, such as `excluded_node_ids[3]`.
    pub field: String,
    /// What is wrong with it, and what would be right.
    pub description: String,
}

impl Invalid {
    /// A message with one malformed field.
    pub fn field(field: impl Into<String>, description: impl Into<String>) -> Self {
        Self(vec![Violation { field: field.into(), description: description.into() }])
    }

    /// The same message as part of another, where it stands in this field.
    #[must_use]
    pub fn within(mut self, field: &str) -> Self {
        for violation in &mut self.0 {
            violation.field = format!("{field}.{}", violation.field);
        }
        self
    }

    /// The fields as they go over the wire.
    pub fn to_proto(&self) -> Vec<proto::FieldViolation> {
        let violation = |v: &Violation| proto::FieldViolation {
            field: v.field.clone(),
            description: v.description.clone(),
        };
        self.0.iter().map(violation).collect()
    }
}

/// Collects what is wrong with a message, so that its sender learns all of it at once.
///
/// Of a message with very many malformed fields the first few are told: an error must fit into the headers that
/// carry it.
#[derive(Debug, Default)]
pub struct Checks {
    /// Path of the message within the one that was received, such as `spec.`.
    prefix: String,
    violations: Vec<Violation>,
    /// Malformed fields beyond those.
    untold: usize,
}

impl Checks {
    /// Most malformed fields of one message that are told.
    const TOLD_MAX: usize = 16;

    /// Of a message that was received whole.
    pub fn new() -> Self {
        Self::default()
    }

    /// Of a message within another, such as `spec`.
    pub fn of(field: &str) -> Self {
        Self { prefix: format!("{field}."), ..Self::default() }
    }

    /// Notes that a field is malformed.
    pub fn refuse(&mut self, field: impl Display, description: impl Display) {
        if self.violations.len() >= Self::TOLD_MAX {
            self.untold += 1;
            return;
        }
        let field = format!("{}{field}", self.prefix);
        self.violations.push(Violation { field, description: description.to_string() });
    }

    /// Notes what is wrong with a message within this one.
    pub fn refuse_all(&mut self, invalid: Invalid) {
        for Violation { field, description } in invalid.0 {
            self.refuse(field, description);
        }
    }

    /// The value of a field, or a note of what is wrong with it.
    pub fn check<T, E: Display>(&mut self, field: impl Display, value: Result<T, E>) -> Option<T> {
        value.map_err(|error| self.refuse(field, error)).ok()
    }

    /// The same for a field that may be absent.
    pub fn check_present<T, U, E: Display>(
        &mut self,
        field: impl Display,
        value: Option<T>,
        parse: impl FnOnce(T) -> Result<U, E>,
    ) -> Option<U> {
        self.check(field, parse(value?))
    }

    /// Notes a list that is too long, and cuts it, so that what is wrong with its items does not fill the reply.
    pub fn bound<'a, T>(&mut self, field: &str, list: &'a [T], max: usize) -> &'a [T] {
        if list.len() > max {
            self.refuse(field, format!("must hold at most {max} items, got {}", list.len()));
            return &list[..0];
        }
        list
    }

    /// The checked value, if nothing was wrong with it.
    pub fn finish<T>(mut self, value: Option<T>) -> Result<T, Invalid> {
        if let Some(last) = self.violations.last_mut()
            && self.untold > 0
        {
            let _ = write!(last.description, " (and {} more malformed fields)", self.untold);
        }
        match value {
            Some(value) if self.violations.is_empty() => Ok(value),
            _ => Err(Invalid(self.violations)),
        }
    }
}

/// Text that may be absent: proto3 sends absence as the empty string.
fn present(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

/// A duration between two bounds. Taken apart by hand: the conversion of `prost_types` overflows on the most negative
/// nanoseconds.
fn duration(value: prost_types::Duration, min: Duration, max: Duration) -> Result<Duration, String> {
    let seconds = u64::try_from(value.seconds).ok();
    let nanos = u32::try_from(value.nanos).ok().filter(|nanos| *nanos < 1_000_000_000);
    let duration = seconds.zip(nanos).map(|(seconds, nanos)| Duration::new(seconds, nanos));
    duration.filter(|duration| (min..=max).contains(duration)).ok_or_else(|| {
        let [min, max] = [min, max].map(humantime::format_duration);
        format!("must be from {min} to {max}")
    })
}

/// A count from 0 to a bound.
fn count(value: i64, max: u32) -> Result<u32, String> {
    let count = u32::try_from(value).ok().filter(|count| *count <= max);
    count.ok_or_else(|| format!("must be from 0 to {max}, got {value}"))
}

/// A lease, as it is told.
fn lease_id(text: &str) -> Result<LeaseId, &'static str> {
    LeaseId::parse(text).ok_or("must be the `lease_id` of a route, as it was given")
}

/// An enum's value, where zero and strangers are refused.
fn known<T, U>(
    value: Result<T, prost::UnknownEnumValue>,
    map: impl FnOnce(T) -> Option<U>,
) -> Result<U, String> {
    match value {
        Ok(value) => map(value).ok_or_else(|| "is required".to_owned()),
        Err(unknown) => {
            Err(format!("{unknown}; this service is older than the caller or the number is wrong"))
        }
    }
}
