//! `pointsman answers purge`: forgets answers of one tenant.

use clap::{ArgGroup, Args};

use super::super::{
    Ending, client::Server, fault::Fault, output::Output, question::QuestionFlags, values::RequestType,
};
use crate::proto::{
    self, PurgeAnswersRequest, PurgeAnswersResponse, answer_service_client::AnswerServiceClient,
};

/// Flags of `answers purge`.
#[derive(Debug, Args)]
#[command(group(
    ArgGroup::new("one").args(["fingerprint", "canonical_request"]).requires_all(["kind", "model"])
))]
pub struct Purge {
    /// Tenant whose answers they are. [default: `default`]
    #[arg(long, value_name = "T")]
    tenant: Option<String>,
    /// Model that gave them. [default: any]
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
    /// Version of the model, as it was stored. [default: any]
    #[arg(long, value_name = "V", requires = "model")]
    model_version: Option<String>,
    /// Kind of work; only with a fingerprint or a canonical request.
    #[arg(long = "type", value_enum, value_name = "TYPE", requires = "one")]
    kind: Option<RequestType>,
    #[command(flatten)]
    question: QuestionFlags,
}

impl Purge {
    /// Tells the service, and says how many were forgotten.
    pub async fn run(self, server: &Server, output: &Output) -> Result<Ending, Fault> {
        let response = self.ask(server).await?;
        output.reply("PurgeAnswersResponse", &response, told)?;
        Ok(Ending::Done)
    }

    /// The reply of the service.
    pub(super) async fn ask(&self, server: &Server) -> Result<PurgeAnswersResponse, Fault> {
        let request = self.to_proto()?;
        let mut client = AnswerServiceClient::new(server.connect().await?);
        Ok(client.purge_answers(request).await?.into_inner())
    }

    fn to_proto(&self) -> Result<PurgeAnswersRequest, Fault> {
        let kind = self.kind.map_or(proto::RequestType::Unspecified, RequestType::to_proto);
        Ok(PurgeAnswersRequest {
            tenant: self.tenant.clone().unwrap_or_default(),
            model: self.model.clone().unwrap_or_default(),
            model_version: self.model_version.clone().unwrap_or_default(),
            question: self.question.read()?.map(Into::into),
            request_type: kind.into(),
        })
    }
}

/// What was done, for people.
pub(super) fn told(response: &PurgeAnswersResponse) -> String {
    match response.purged_count {
        0 => "Forgot nothing: no answer matched.".to_owned(),
        1 => "Forgot 1 answer.".to_owned(),
        count => format!("Forgot {count} answers."),
    }
}
