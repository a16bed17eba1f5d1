//! Which nodes stand in a simulated fleet?

use serde::Deserialize;
use thiserror::Error;

use super::engine::hardware::{HARDWARE, Hardware};

/// Most nodes of a fleet.
pub const NODES_MAX: usize = 1024;

/// Some nodes of one kind.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    hardware: String,
    count: usize,
    /// Tokens of the key-value cache; those of the hardware where absent.
    kv_tokens: Option<u32>,
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
    /// A cache in which no prompt fits.
    #[error("`kv_tokens` must be at least 1024, got {0}")]
    Memory(u32),
}

/// So many nodes of the hardware of this name.
pub fn uniform(count: usize, hardware: &str) -> Result<Vec<Hardware>, FleetError> {
    sized(vec![Group { hardware: hardware.to_owned(), count, kv_tokens: None }])
}

/// A fleet of a file: a list of `{hardware: h100x4-70b, count: 4, kv_tokens: 412000}`, the last one optional.
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
        let known = Hardware::named(&group.hardware).ok_or(FleetError::Hardware(group.hardware))?;
        let kv_tokens = group.kv_tokens.unwrap_or(known.kv_tokens);
        if kv_tokens < 1024 {
            return Err(FleetError::Memory(kv_tokens));
        }
        fleet.extend(std::iter::repeat_n(known.with_memory(kv_tokens), group.count));
    }
    Ok(fleet)
}

fn names() -> String {
    HARDWARE.map(|hardware| format!("`{}`", hardware.name)).join(", ")
}

#[cfg(test)]
mod tests;
