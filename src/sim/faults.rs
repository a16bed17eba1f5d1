//! What goes wrong with a node, when and for how long.

use thiserror::Error;

use super::clock::micros;

/// One fault.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fault {
    /// The node, by its place in the fleet.
    pub node: usize,
    /// When it begins, in microseconds.
    pub at_us: u64,
    /// How long it lasts, in microseconds.
    pub for_us: u64,
    /// What happens.
    pub kind: FaultKind,
}

/// What happens to a node.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum FaultKind {
    /// It takes so many times as long, 1 to 100.
    Slow(f64),
    /// It loses all that it has and takes nothing.
    Dead,
    /// It tells nothing.
    Silent,
}

/// A fault that was not understood.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}; a fault is `node=3,at=500s,for=1000s,kind=slow:3`, with `dead` or `silent` as other kinds")]
pub struct FaultError(String);

impl Fault {
    /// Reads `node=3,at=500s,for=1000s,kind=slow:3|dead|silent`.
    pub fn parse(text: &str) -> Result<Self, FaultError> {
        let parts: Vec<(&str, &str)> =
            text.split(',').map(|part| part.split_once('=').unwrap_or((part, ""))).collect();
        let known = ["node", "at", "for", "kind"];
        if let Some((wrong, _)) = parts.iter().find(|(key, _)| !known.contains(key)) {
            return Err(FaultError(format!("`{wrong}` is no part of a fault")));
        }
        let part = |key: &str| {
            let found = parts.iter().find(|(known, _)| *known == key);
            found.map(|(_, value)| *value).ok_or_else(|| FaultError(format!("`{key}` is missing")))
        };
        let span = |key: &str| {
            let parsed = humantime::parse_duration(part(key)?);
            parsed.map(micros).map_err(|bad| FaultError(format!("`{key}` is no span of time: {bad}")))
        };
        let node = part("node")?;
        Ok(Self {
            node: node
                .parse()
                .map_err(|_| FaultError(format!("`node` must be a number from 0 on, got `{node}`")))?,
            at_us: span("at")?,
            for_us: span("for")?,
            kind: kind(part("kind")?)?,
        })
    }
}

fn kind(text: &str) -> Result<FaultKind, FaultError> {
    match text.split_once(':') {
        Some(("slow", factor)) => {
            let parsed = factor.parse().ok().filter(|factor| (1.0..=100.0).contains(factor));
            let bad = || FaultError(format!("`kind=slow:` must be a factor from 1 to 100, got `{factor}`"));
            parsed.map(FaultKind::Slow).ok_or_else(bad)
        }
        None if text == "dead" => Ok(FaultKind::Dead),
        None if text == "silent" => Ok(FaultKind::Silent),
        _ => Err(FaultError(format!("`kind` is `{text}`"))),
    }
}

#[cfg(test)]
mod tests;
