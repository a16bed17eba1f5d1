//! What is to be routed: the flags that describe a request, of `pick` and of `explain`.

use std::time::Duration;

use clap::{Args, ValueEnum};

use super::{
    fault::Fault,
    question::QuestionFlags,
    ranges::tokens,
    values::{RequestType, duration},
};
use crate::{
    proto::{self, PickNodeRequest},
    wire,
};

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
    /// Adapter that the request wants on top of the model. [default: none]
    #[arg(long, value_name = "NAME")]
    adapter: Option<String>,
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
    #[arg(long, value_name = "N", value_parser = tokens(), allow_negative_numbers = true)]
    prompt_tokens: Option<i64>,
    /// Chained hashes of the leading blocks of the prompt (see tests/prefix/README.md), at most 4096.
    #[arg(long, value_name = "HASH,…", value_delimiter = ',')]
    prefix_blocks: Vec<u64>,
    /// Conversation, each prompt of which begins with the one before; stands in for hashes, with `--prompt-tokens`.
    #[arg(long, value_name = "S")]
    session: Option<String>,
    /// Most tokens of the answer, which limits of tokens reserve. [default: the service's estimate]
    #[arg(long, value_name = "N", value_parser = tokens(), allow_negative_numbers = true)]
    max_output_tokens: Option<i64>,
    #[command(flatten)]
    question: QuestionFlags,
    /// How known answers are used.
    #[arg(long, value_enum, default_value_t = AnswerUse::Share)]
    answer_use: AnswerUse,
    /// First-token latency that is wanted, up to 1h. [default: what the tier is promised]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    first_token_target: Option<Duration>,
    /// How long to wait for a limit, an identical request or a node, up to 60s.
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

#[derive(Debug, Clone, Copy, ValueEnum)]
enum AnswerUse {
    /// Take a known answer; a new one will be stored, and identical requests may wait for it.
    Share,
    /// Take a known answer; a new one will not be stored, and nobody waits for it.
    ReadOnly,
    /// Want a new answer, which will be stored.
    Refresh,
}

impl RequestFlags {
    /// How long the caller is willing to wait for the decision.
    pub fn patience(&self) -> Duration {
        self.max_wait.unwrap_or_default()
    }

    /// As it goes over the wire; reads the canonical request if there is one.
    pub fn to_proto(&self) -> Result<PickNodeRequest, Fault> {
        Ok(PickNodeRequest {
            request_id: self.request_id.clone().unwrap_or_default(),
            request_type: self.kind.to_proto().into(),
            model: self.model.clone(),
            model_version: self.model_version.clone().unwrap_or_default(),
            tenant: self.tenant.clone().unwrap_or_default(),
            user: self.user.clone().unwrap_or_default(),
            tier: self.tier.to_proto().into(),
            priority: self.priority.to_proto().into(),
            excluded_node_ids: self.exclude.clone(),
            prompt_tokens: self.prompt_tokens,
            max_wait: self.max_wait.map(wire::duration),
            lease_ttl: self.lease_ttl.map(wire::duration),
            explain: false,
            max_output_tokens: self.max_output_tokens,
            question: self.question.read()?.map(Into::into),
            answer_use: self.answer_use.to_proto().into(),
            prefix_blocks: self.prefix_blocks.clone(),
            session: self.session.clone().unwrap_or_default(),
            adapter: self.adapter.clone().unwrap_or_default(),
            first_token_target: self.first_token_target.map(wire::duration),
        })
    }
}

impl Tier {
    fn to_proto(self) -> proto::Tier {
        match self {
            Self::Premium => proto::Tier::Premium,
            Self::Free => proto::Tier::Free,
        }
    }
}

impl Priority {
    fn to_proto(self) -> proto::Priority {
        match self {
            Self::High => proto::Priority::High,
            Self::Normal => proto::Priority::Normal,
            Self::Low => proto::Priority::Low,
        }
    }
}

impl AnswerUse {
    fn to_proto(self) -> proto::AnswerUse {
        match self {
            Self::Share => proto::AnswerUse::Share,
            Self::ReadOnly => proto::AnswerUse::ReadOnly,
            Self::Refresh => proto::AnswerUse::Refresh,
        }
    }
}

#[cfg(test)]
mod tests;
