//! `pointsman pick`: asks where a request should go. It reserves the node until `pointsman outcome`, or the lease
//! ends.

use std::time::Duration;

use clap::{Args, ValueEnum};

use super::{
    Ending,
    client::Server,
    decision::{ending, told},
    fault::Fault,
    output::Output,
    values::{RequestType, duration},
};
use crate::{
    proto::{self, PickNodeRequest, routing_service_client::RoutingServiceClient},
    wire,
};

/// Flags of `pick`.
#[derive(Debug, Args)]
pub struct Pick {
    #[command(flatten)]
    request: RequestFlags,
    /// Say why each node was dropped or what it scored.
    #[arg(long)]
    explain: bool,
}

/// Flags that describe a request.
#[derive(Debug, Args)]
pub struct RequestFlags {
    /// Kind of work.
    #[arg(long = "type", value_enum, value_name = "TYPE")]
    kind: RequestType,
    /// Model, as nodes declare it.
    #[arg(long, value_name = "NAME")]
    model: String,
    /// Version of the model. [default: any]
    #[arg(long, value_name = "V")]
    model_version: Option<String>,
    /// Tenant. [default: `default`]
    #[arg(long, value_name = "T")]
    tenant: Option<String>,
    /// User within the tenant.
    #[arg(long, value_name = "U")]
    user: Option<String>,
    /// What the user pays for.
    #[arg(long, value_enum, default_value_t = Tier::Free)]
    tier: Tier,
    /// How urgent it is.
    #[arg(long, value_enum, default_value_t = Priority::Normal)]
    priority: Priority,
    /// Node that must not be picked; may be repeated.
    #[arg(long, value_name = "ID")]
    exclude: Vec<String>,
    /// Length of the prompt, in tokens.
    #[arg(long, value_name = "N")]
    prompt_tokens: Option<i64>,
    /// How long to wait for a node to become eligible, up to 60s.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    max_wait: Option<Duration>,
    /// How long the pick counts as in flight. [default: the service's]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    lease_ttl: Option<Duration>,
    /// Names the request; asking again gets the same decision. [default: made up by the service]
    #[arg(long, value_name = "ID")]
    request_id: Option<String>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Tier {
    Premium,
    Free,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Priority {
    High,
    Normal,
    Low,
}

impl RequestFlags {
    /// As it goes over the wire.
    pub fn to_proto(&self) -> PickNodeRequest {
        let tier = match self.tier {
            Tier::Premium => proto::Tier::Premium,
            Tier::Free => proto::Tier::Free,
        };
        let priority = match self.priority {
            Priority::High => proto::Priority::High,
            Priority::Normal => proto::Priority::Normal,
            Priority::Low => proto::Priority::Low,
        };
        PickNodeRequest {
            request_id: self.request_id.clone().unwrap_or_default(),
            request_type: self.kind.to_proto().into(),
            model: self.model.clone(),
            model_version: self.model_version.clone().unwrap_or_default(),
            tenant: self.tenant.clone().unwrap_or_default(),
            user: self.user.clone().unwrap_or_default(),
            tier: tier.into(),
            priority: priority.into(),
            excluded_node_ids: self.exclude.clone(),
            prompt_tokens: self.prompt_tokens,
            max_wait: self.max_wait.map(wire::duration),
            lease_ttl: self.lease_ttl.map(wire::duration),
            explain: false,
            max_output_tokens: None,
            question: None,
            answer_use: proto::AnswerUse::Unspecified.into(),
        }
    }
}

impl Pick {
    /// Asks, and says what was decided.
    pub async fn run(self, server: &Server, output: &Output) -> Result<Ending, Fault> {
        let patience = self.request.max_wait.unwrap_or_default();
        let mut client = RoutingServiceClient::new(server.connect_patiently(patience).await?);
        let request = PickNodeRequest { explain: self.explain, ..self.request.to_proto() };
        let response = client.pick_node(request).await?.into_inner();
        output.reply("PickNodeResponse", &response, told)?;
        Ok(ending(&response))
    }
}
