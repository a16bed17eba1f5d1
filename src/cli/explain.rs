//! `pointsman explain`: says for each node why it was dropped or what it scored.

use clap::Args;

use super::{
    Ending,
    client::Server,
    decision::{ending, told},
    fault::Fault,
    output::Output,
    pick::RequestFlags,
};
use crate::proto::{ExplainPickRequest, ExplainPickResponse, routing_service_client::RoutingServiceClient};

/// Flags of `explain`.
#[derive(Debug, Args)]
pub struct Explain {
    #[command(flatten)]
    request: RequestFlags,
}

impl Explain {
    /// Asks, and says what would be decided and why.
    pub async fn run(self, server: &Server, output: &Output) -> Result<Ending, Fault> {
        let mut client = RoutingServiceClient::new(server.connect().await?);
        let asked = ExplainPickRequest { pick: Some(self.request.to_proto()) };
        let response = client.explain_pick(asked).await?.into_inner();
        let human = |response: &ExplainPickResponse| response.decision.as_ref().map(told).unwrap_or_default();
        output.reply("ExplainPickResponse", &response, human)?;
        Ok(response.decision.as_ref().map_or(Ending::Done, ending))
    }
}
