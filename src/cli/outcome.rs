//! `pointsman outcome`: says how a request ended.

use std::time::Duration;

use clap::{Args, ValueEnum};

use super::{Ending, client::Server, fault::Fault, output::Output, ranges::tokens, values::duration};
use crate::{
    proto::{
        OutcomeResult, OutcomeStatus, ReportOutcomeRequest, ReportOutcomeResponse,
        routing_service_client::RoutingServiceClient,
    },
    wire,
};

/// Flags of `outcome`.
#[derive(Debug, Args)]
pub struct Outcome {
    /// The request, as it was picked.
    #[arg(long, value_name = "ID")]
    request_id: String,
    /// How it ended; `running` renews its lease.
    #[arg(long, value_enum)]
    result: Ended,
    /// Tenant of the request. [default: `default`]
    #[arg(long, value_name = "T")]
    tenant: Option<String>,
    /// The attempt that ended. [default: the latest]
    #[arg(long, value_name = "ID")]
    lease_id: Option<String>,
    /// Time from sending to the first token.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    first_token_latency: Option<Duration>,
    /// Time from sending to the end.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    total_latency: Option<Duration>,
    /// Tokens of the prompt.
    #[arg(long, value_name = "N", value_parser = tokens(), allow_negative_numbers = true)]
    input_tokens: Option<i64>,
    /// Tokens of the answer.
    #[arg(long, value_name = "N", value_parser = tokens(), allow_negative_numbers = true)]
    output_tokens: Option<i64>,
    /// Tokens of the prompt that the node had cached.
    #[arg(long, value_name = "N", value_parser = tokens(), allow_negative_numbers = true)]
    cached_tokens: Option<i64>,
}

/// How a request ended.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Ended {
    Ok,
    Failed,
    Timeout,
    Overloaded,
    Cancelled,
    Running,
}

impl Outcome {
    /// Tells the service, and says what that changed.
    pub async fn run(self, server: &Server, output: &Output) -> Result<Ending, Fault> {
        let mut client = RoutingServiceClient::new(server.connect().await?);
        let response = client.report_outcome(self.to_proto()).await?.into_inner();
        if response.status() == OutcomeStatus::Unknown {
            let what = format!("the service does not know the request `{}`", self.request_id);
            let hint = "check `--request-id` and `--tenant`; what has ended is forgotten after a while";
            return Err(Fault::new(what).hint(hint));
        }
        output.reply("ReportOutcomeResponse", &response, told)?;
        Ok(Ending::Done)
    }

    fn to_proto(&self) -> ReportOutcomeRequest {
        let result = match self.result {
            Ended::Ok => OutcomeResult::Ok,
            Ended::Failed => OutcomeResult::Failed,
            Ended::Timeout => OutcomeResult::Timeout,
            Ended::Overloaded => OutcomeResult::Overloaded,
            Ended::Cancelled => OutcomeResult::Cancelled,
            Ended::Running => OutcomeResult::Running,
        };
        ReportOutcomeRequest {
            tenant: self.tenant.clone().unwrap_or_default(),
            request_id: self.request_id.clone(),
            lease_id: self.lease_id.clone().unwrap_or_default(),
            result: result.into(),
            first_token_latency: self.first_token_latency.map(wire::duration),
            total_latency: self.total_latency.map(wire::duration),
            input_tokens: self.input_tokens,
            output_tokens: self.output_tokens,
            cached_tokens: self.cached_tokens,
        }
    }
}

fn told(response: &ReportOutcomeResponse) -> String {
    let node = &response.node_id;
    match response.status() {
        OutcomeStatus::Settled => format!("Settled: the lease on {node} has ended."),
        OutcomeStatus::Renewed => format!("Renewed: the lease on {node} lives on."),
        OutcomeStatus::AlreadySettled => {
            format!("Already settled: the lease on {node} had ended; nothing changed.")
        }
        OutcomeStatus::Late => {
            format!("Late: the lease on {node} had expired; the outcome counts for its health.")
        }
        OutcomeStatus::Unknown | OutcomeStatus::Unspecified => "Unknown: nothing changed.".to_owned(),
    }
}
