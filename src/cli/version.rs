//! `pointsman version`.

use clap::Args;
use serde_json::json;

use super::{Ending, fault::Fault, output::Output};

/// Flags of `version`: none.
#[derive(Debug, Args)]
pub struct Version {}

impl Version {
    /// Prints the version of this binary.
    pub fn run(self, output: &Output) -> Result<Ending, Fault> {
        let Self {} = self;
        let version = env!("CARGO_PKG_VERSION");
        output.value(&json!({ "version": version }), |_| format!("pointsman {version}"))?;
        Ok(Ending::Done)
    }
}
