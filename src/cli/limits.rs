//! `pointsman limits`: every rule, and how often it admitted and refused.

use clap::Args;

use super::{
    Ending,
    client::Server,
    fault::Fault,
    output::{self, Output},
};
use crate::proto::{Limit, ListLimitsRequest, ListLimitsResponse, limit_service_client::LimitServiceClient};

/// Flags of `limits`.
#[derive(Debug, Args)]
pub struct Limits {}

impl Limits {
    /// Asks, and shows the rules.
    pub async fn run(self, server: &Server, output: &Output) -> Result<Ending, Fault> {
        output.reply("ListLimitsResponse", &list(server).await?, told)?;
        Ok(Ending::Done)
    }
}

async fn list(server: &Server) -> Result<ListLimitsResponse, Fault> {
    let mut client = LimitServiceClient::new(server.connect().await?);
    Ok(client.list_limits(ListLimitsRequest {}).await?.into_inner())
}

/// The rules as a table, and how full the table of keys is.
fn told(response: &ListLimitsResponse) -> String {
    if response.limits.is_empty() {
        return "No limit is set. `pointsman check --schema` describes how the configuration sets them."
            .to_owned();
    }
    let mut table = output::table(["rule", "mode", "admitted", "refused"], 2);
    for limit in &response.limits {
        table.add_row(row(limit));
    }
    let mut lines = vec![table.to_string()];
    if response.limits.iter().any(|limit| limit.shadow) {
        lines.push("shadow    counted and not enforced: what it refuses goes on".to_owned());
    }
    lines.push(format!("keys      {} remembered now, over all rules", response.key_count));
    lines.push(match response.overflow_count {
        0 => "overflow  none".to_owned(),
        count => {
            format!("overflow  {count} requests were counted on a shared key: the table of keys was full")
        }
    });
    lines.join("\n")
}

fn row(limit: &Limit) -> [String; 4] {
    let mode = if limit.shadow { "shadow" } else { "enforced" };
    [limit.name.clone(), mode.to_owned(), limit.admitted_count.to_string(), limit.refused_count.to_string()]
}

#[cfg(test)]
mod tests;
