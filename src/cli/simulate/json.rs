//! What does a program read of a simulation?

use serde_json::Value;

use crate::{cli::fault::Fault, sim::figures::Report};

/// One object with `runs`, an array of one object a policy. Keys are in the order of the alphabet. A figure that is
/// no number is `null`: JSON knows no other way.
pub(crate) fn json(report: &Report) -> Result<Value, Fault> {
    serde_json::to_value(report).map_err(|error| Fault::new("cannot write the result as JSON").because(error))
}

#[cfg(test)]
mod tests;
