//! `pointsman answers stats`: shows what became of answers since the service started.

use clap::Args;

use super::super::{
    Ending,
    client::Server,
    fault::Fault,
    output::{self, Output},
    values::or_dash,
};
use crate::proto::{
    GetAnswerStatsRequest, GetAnswerStatsResponse, answer_service_client::AnswerServiceClient,
};

/// Flags of `answers stats`.
#[derive(Debug, Args)]
pub struct Stats {}

impl Stats {
    /// Asks, and shows the counters.
    pub async fn run(self, server: &Server, output: &Output) -> Result<Ending, Fault> {
        let response = self.ask(server).await?;
        output.reply("GetAnswerStatsResponse", &response, told)?;
        Ok(Ending::Done)
    }

    /// The reply of the service.
    pub(super) async fn ask(&self, server: &Server) -> Result<GetAnswerStatsResponse, Fault> {
        let mut client = AnswerServiceClient::new(server.connect().await?);
        Ok(client.get_answer_stats(GetAnswerStatsRequest {}).await?.into_inner())
    }
}

/// The counters as a table, and the share of hits.
pub(super) fn told(stats: &GetAnswerStatsResponse) -> String {
    let mut table = output::table(["answers", "count"], 1);
    for (what, count) in [
        ("hits", stats.hit_count),
        ("misses", stats.miss_count),
        ("given stale", stats.stale_count),
        ("waited for", stats.coalesced_count),
        ("stored", stats.stored_count),
        ("evicted", stats.evicted_count),
        ("purged", stats.purged_count),
        ("held now", stats.entry_count),
        ("bytes held now", stats.bytes),
    ] {
        table.add_row([what.to_owned(), count.to_string()]);
    }
    format!("{table}\nhit ratio {}", or_dash(hit_ratio(stats)))
}

/// Hits among the picks that asked; `None` before the first.
fn hit_ratio(stats: &GetAnswerStatsResponse) -> Option<String> {
    let asked = stats.hit_count.saturating_add(stats.miss_count);
    (asked > 0).then(|| format!("{:.1} %", 100.0 * stats.hit_count as f64 / asked as f64))
}
