//! `pointsman check`.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::{Ending, fault::Fault, output::Output};
use crate::config::{Config, Sources, schema};

/// Flags of `check`.
#[derive(Debug, Args)]
pub struct Check {
    /// Configuration file. The environment is checked too, as `serve` would read it.
    #[arg(long, value_name = "FILE", env = "POINTSMAN_CONFIG")]
    config: Option<PathBuf>,
    /// Print the JSON schema of the file instead, for editors.
    #[arg(long)]
    schema: bool,
}

impl Check {
    /// Checks, or prints the schema.
    pub fn run(self, output: &Output) -> Result<Ending, Fault> {
        if self.schema {
            output.value(&schema::schema(), |schema| format!("{schema:#}"))?;
            return Ok(Ending::Done);
        }
        let sources = Sources { file: self.config, env: std::env::vars().collect(), listen: None };
        let config = sources.load().map_err(|error| Fault::new(error.to_string()))?;
        output.value(&summary(&config), |_| told(&config))?;
        Ok(Ending::Done)
    }
}

fn summary(config: &Config) -> serde_json::Value {
    json!({
        "valid": true,
        "listen": config.server.listen.to_string(),
        "balance": config.policy.balance.name(),
        "nodes": config.nodes.iter().map(|node| node.id.as_str()).collect::<Vec<_>>(),
        "agent": config.agent.as_ref().map(|agent| agent.node.id.as_str()),
    })
}

fn told(config: &Config) -> String {
    let agent = match &config.agent {
        Some(agent) => format!("speaks for node `{}`", agent.node.id),
        None => "not configured".to_owned(),
    };
    format!(
        "The configuration is valid.\n  listens on  {}\n  balance     {}\n  nodes       {}\n  agent       {agent}",
        config.server.listen,
        config.policy.balance.name(),
        config.nodes.len(),
    )
}
