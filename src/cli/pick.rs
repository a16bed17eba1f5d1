//! `pointsman pick`: asks where a request should go. It reserves the node until `pointsman outcome`, or the lease
//! ends. A known answer is given in place of a node.

use clap::Args;

use super::{
    Ending,
    client::Server,
    decision::{ending, told},
    fault::Fault,
    output::Output,
    request::RequestFlags,
};
use crate::proto::{PickNodeRequest, routing_service_client::RoutingServiceClient};

/// Flags of `pick`.
#[derive(Debug, Args)]
pub struct Pick {
    #[command(flatten)]
    request: RequestFlags,
    /// Say why each node was dropped or what it scored.
    #[arg(long)]
    explain: bool,
}

impl Pick {
    /// Asks, and says what was decided.
    pub async fn run(self, server: &Server, output: &Output) -> Result<Ending, Fault> {
        let request = PickNodeRequest { explain: self.explain, ..self.request.to_proto()? };
        let model = request.model.clone();
        let channel = server.connect_patiently(self.request.patience()).await?;
        let response = RoutingServiceClient::new(channel).pick_node(request).await?.into_inner();
        output.reply("PickNodeResponse", &response, |response| told(response, &model))?;
        Ok(ending(&response))
    }
}
