//! Which nodes stand in a simulated fleet?

use serde::Deserialize;
use thiserror::Error;

use super::engine::hardware::{HARDWARE, Hardware, POINTS, SEQUENCES};

/// Most nodes of a fleet.
pub const NODES_MAX: usize = 1024;

/// Most sequences that a node runs at once, and most tokens of one of its steps.
const SEQUENCES_MAX: u32 = 65_536;
const STEP_TOKENS_MAX: u32 = 1_000_000;

/// Some nodes of one kind.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    hardware: Kind,
    count: usize,
    /// Tokens of the key-value cache; those of the hardware where absent.
    kv_tokens: Option<u32>,
}

/// Hardware that is known, or has been measured by whoever simulates it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
enum Kind {
    Known(String),
    Measured(Measured),
}

/// What was measured of a node.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Measured {
    /// Milliseconds of a step by its tokens, ascending; the last has as many tokens as a step can have.
    step_ms: Vec<(u32, f64)>,
    /// Milliseconds for each token and each token of its context.
    #[serde(default)]
    attention: f64,
    /// Milliseconds for each token of context that a decoding sequence reads.
    #[serde(default)]
    kv_read: f64,
    kv_tokens: u32,
    sequences: Option<u32>,
}

/// Why there is no such fleet.
#[derive(Debug, Error)]
pub enum FleetError {
    /// Not readable.
    #[error("the fleet cannot be read: {0}")]
    Unreadable(String),
    /// Of no known hardware.
    #[error("`{0}` is no known hardware: choose one of {known}", known = names())]
    Hardware(String),
    /// Too few or too many.
    #[error("a fleet has 1 to {NODES_MAX} nodes, this one would have {0}")]
    Size(usize),
    /// Measurements that make no node.
    #[error("`hardware` needs {0}")]
    Measured(&'static str),
    /// A cache in which no prompt fits.
    #[error("`kv_tokens` must be at least 1024, got {0}")]
    Memory(u32),
}

/// So many nodes of the hardware of this name.
pub fn uniform(count: usize, hardware: &str) -> Result<Vec<Hardware>, FleetError> {
    sized(vec![Group { hardware: Kind::Known(hardware.to_owned()), count, kv_tokens: None }])
}

/// A fleet of a file: a list of `{hardware: h100x4-70b, count: 4, kv_tokens: 412000}`, the last one optional. In place of
/// the name there may be what was measured of a node:
/// `{step_ms: [[1, 9.5], [512, 480]], attention: 1.0e-4, kv_read: 1.0e-5, kv_tokens: 8192, sequences: 4}`.
pub fn parse(text: &str) -> Result<Vec<Hardware>, FleetError> {
    sized(serde_saphyr::from_str(text).map_err(|bad| FleetError::Unreadable(bad.to_string()))?)
}

fn sized(groups: Vec<Group>) -> Result<Vec<Hardware>, FleetError> {
    let count = groups.iter().fold(0_usize, |sum, group| sum.saturating_add(group.count));
    if !(1..=NODES_MAX).contains(&count) {
        return Err(FleetError::Size(count));
    }
    let mut fleet = Vec::with_capacity(count);
    for group in groups {
        let known = match group.hardware {
            Kind::Known(name) => Hardware::named(&name).ok_or(FleetError::Hardware(name))?,
            Kind::Measured(measured) => measured.hardware()?,
        };
        let kv_tokens = group.kv_tokens.unwrap_or(known.kv_tokens);
        if kv_tokens < 1024 {
            return Err(FleetError::Memory(kv_tokens));
        }
        fleet.extend(std::iter::repeat_n(known.with_memory(kv_tokens), group.count));
    }
    Ok(fleet)
}

impl Measured {
    fn hardware(&self) -> Result<Hardware, FleetError> {
        let Self { attention, kv_read, kv_tokens, .. } = *self;
        let (Some(&last), 2..=POINTS) = (self.step_ms.last(), self.step_ms.len()) else {
            return Err(FleetError::Measured("2 to 6 points of `step_ms`"));
        };
        let rises = self.step_ms.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 <= pair[1].1);
        let sound = |ms: f64| ms.is_finite() && ms >= 0.0;
        if !rises
            || !sound(attention)
            || !sound(kv_read)
            || self.step_ms.iter().any(|point| !(sound(point.1) && point.1 > 0.0))
        {
            return Err(FleetError::Measured(
                "`step_ms` that rises by tokens and milliseconds, and no negative time",
            ));
        }
        let sequences = self.sequences.unwrap_or(SEQUENCES);
        if !(1..=SEQUENCES_MAX).contains(&sequences) || last.0 > STEP_TOKENS_MAX {
            return Err(FleetError::Measured("1 to 65536 `sequences`, and steps of at most 1000000 tokens"));
        }
        let mut points = [last; POINTS];
        points[..self.step_ms.len()].copy_from_slice(&self.step_ms);
        Ok(Hardware { name: "measured", points, attention, kv_read, kv_tokens, sequences, width: 1 })
    }
}

fn names() -> String {
    HARDWARE.map(|hardware| format!("`{}`", hardware.name)).join(", ")
}

#[cfg(test)]
mod tests;
