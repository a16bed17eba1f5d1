//! What may the file say? Exactly this, key by key.
//!
//! The comments here are what `pointsman check --schema` and the hints in errors say. Defaults come from the checked
//! types, so that none is written twice.

pub mod agent;
pub mod nodes;
pub mod policy;
pub mod server;
pub mod span;
pub mod word;

use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Configuration of Pointsman.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(default, deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub struct Raw {
    /// How the service listens, and its bounds; a change needs a restart.
    #[garde(dive)]
    pub server: server::Server,
    /// How the service logs; a change needs a restart.
    pub log: server::Log,
    /// What decides; reloads.
    #[garde(dive)]
    pub policy: policy::Policy,
    /// Nodes without an agent, such as hosted APIs; reloads.
    #[garde(dive)]
    pub nodes: Vec<nodes::Node>,
    /// What `pointsman agent` observes and where it reports.
    #[garde(dive)]
    pub agent: Option<agent::Agent>,
}
