//! What may the file say? Exactly this, key by key.
//!
//! The comments here are what `pointsman config schema` and the hints in errors say. Defaults come from the checked
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

/// The file.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(default, deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub struct Raw {
    /// how the service listens, and its bounds; a change needs a restart
    #[garde(dive)]
    pub server: server::Server,
    /// how the service logs; a change needs a restart
    pub log: server::Log,
    /// what decides; reloads
    #[garde(dive)]
    pub policy: policy::Policy,
    /// nodes without an agent, such as hosted APIs; reloads
    #[garde(dive)]
    pub nodes: Vec<nodes::Node>,
    /// what `pointsman agent` observes and where it reports
    #[garde(dive)]
    pub agent: Option<agent::Agent>,
}
