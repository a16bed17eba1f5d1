//! `pointsman answers store`: remembers the answer to a request.

use std::time::Duration;

use clap::{ArgGroup, Args, ValueEnum};

use super::super::{
    Ending,
    client::Server,
    fault::Fault,
    output::Output,
    question::QuestionFlags,
    source::Source,
    values::{RequestType, duration, or_dash, show_duration},
};
use crate::{
    proto::{
        self, StoreAnswerRequest, StoreAnswerResponse, answer_service_client::AnswerServiceClient,
        store_answer_request::Body,
    },
    wire,
};

/// More no message holds; the service's own bound (64 KiB unless it is configured) is lower, and it tells it.
const INLINE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Flags of `answers store`.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("asked").args(["fingerprint", "canonical_request"]).required(true)))]
pub struct Store {
    /// Kind of work.
    #[arg(long = "type", value_enum, value_name = "TYPE")]
    kind: RequestType,
    /// Model, as in the pick; if a smaller one answered in its place, that one.
    #[arg(long, value_name = "NAME")]
    model: String,
    /// Version of the model, as in the pick. [default: none was asked for]
    #[arg(long, value_name = "V")]
    model_version: Option<String>,
    /// Tenant. [default: `default`]
    #[arg(long, value_name = "T")]
    tenant: Option<String>,
    #[command(flatten)]
    question: QuestionFlags,
    #[command(flatten)]
    body: BodyFlags,
    /// Media type of the answer, such as `text/plain`.
    #[arg(long, value_name = "TYPE")]
    content_type: Option<String>,
    /// How long it stays fresh, such as `10m`. [default: as `--volatility` says]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    ttl: Option<Duration>,
    /// How soon such an answer stops being true. [default: as the service is configured for the type]
    #[arg(long, value_enum)]
    volatility: Option<Volatility>,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct BodyFlags {
    /// The answer itself, from a file or from standard input (`-`).
    #[arg(long, value_name = "FILE")]
    inline: Option<Source>,
    /// Where you keep the answer; given back as it is.
    #[arg(long, value_name = "TEXT")]
    reference: Option<String>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Volatility {
    /// It stays true: a fact, a translation, an embedding.
    Fact,
    /// It is about live data: a price, the weather, a status.
    Live,
}

impl Store {
    /// Tells the service, and says how long it will be remembered.
    pub async fn run(self, server: &Server, output: &Output) -> Result<Ending, Fault> {
        let response = self.ask(server).await?;
        output.reply("StoreAnswerResponse", &response, told)?;
        Ok(Ending::Done)
    }

    /// The reply of the service.
    pub(super) async fn ask(&self, server: &Server) -> Result<StoreAnswerResponse, Fault> {
        let request = self.to_proto()?;
        let mut client = AnswerServiceClient::new(server.connect().await?);
        Ok(client.store_answer(request).await?.into_inner())
    }

    fn to_proto(&self) -> Result<StoreAnswerRequest, Fault> {
        if self.question.reads_stdin() && self.body.inline == Some(Source::Stdin) {
            let hint = "give one of them as a file, or the fingerprint in place of the request";
            let what = "`--canonical-request` and `--inline` cannot both be standard input";
            return Err(Fault::new(what).hint(hint));
        }
        let volatility = self.volatility.map_or(proto::Volatility::Unspecified, Volatility::to_proto);
        Ok(StoreAnswerRequest {
            tenant: self.tenant.clone().unwrap_or_default(),
            request_type: self.kind.to_proto().into(),
            model: self.model.clone(),
            model_version: self.model_version.clone().unwrap_or_default(),
            question: self.question.read()?.map(Into::into),
            body: self.body.read()?,
            content_type: self.content_type.clone().unwrap_or_default(),
            ttl: self.ttl.map(wire::duration),
            volatility: volatility.into(),
        })
    }
}

impl BodyFlags {
    fn read(&self) -> Result<Option<Body>, Fault> {
        if let Some(source) = &self.inline {
            return Ok(Some(Body::Inline(source.read("--inline", INLINE_BYTES_MAX)?)));
        }
        Ok(self.reference.clone().map(Body::Reference))
    }
}

impl Volatility {
    fn to_proto(self) -> proto::Volatility {
        match self {
            Self::Fact => proto::Volatility::Fact,
            Self::Live => proto::Volatility::Live,
        }
    }
}

/// What was done, for people.
pub(super) fn told(response: &StoreAnswerResponse) -> String {
    format!("Stored: fresh for {}.", or_dash(response.fresh_for.map(show_duration)))
}
