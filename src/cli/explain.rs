//! `pointsman explain`: says what limits, known answers and the pool make of a request, and for each node why it was
//! dropped or what it scored.

use clap::Args;

use super::{
    Ending,
    client::Server,
    decision::{ending, told},
    fault::Fault,
    output::Output,
    request::RequestFlags,
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
        let pick = self.request.to_proto()?;
        let model = pick.model.clone();
        let mut client = RoutingServiceClient::new(server.connect().await?);
        let response = client.explain_pick(ExplainPickRequest { pick: Some(pick) }).await?.into_inner();
        let human = |response: &ExplainPickResponse| {
            response.decision.as_ref().map(|decision| told(decision, &model)).unwrap_or_default()
        };
        output.reply("ExplainPickResponse", &response, human)?;
        Ok(response.decision.as_ref().map_or(Ending::Done, ending))
    }
}
