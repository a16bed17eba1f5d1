//! How a picked request went.

use std::time::Duration;

use super::id::{LeaseId, NodeId};
use super::request::RequestKey;

/// What a gateway reports after (or during) a request.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The request.
    pub key: RequestKey,
    /// The pick; `None` means the latest of the request.
    pub lease: Option<LeaseId>,
    /// How it ended.
    pub result: OutcomeResult,
    /// Time to the first token.
    pub first_token_latency: Option<Duration>,
    /// Time to the end.
    pub total_latency: Option<Duration>,
    /// Tokens, for the record; nothing is decided by them yet.
    pub tokens: OutcomeTokens,
}

/// Token counts of a finished request; `None` means unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OutcomeTokens {
    /// Of the prompt.
    pub input: Option<u32>,
    /// Of the answer.
    pub output: Option<u32>,
    /// Of the prompt, found in the node's cache.
    pub cached: Option<u32>,
}

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutcomeResult {
    /// Answered.
    Ok,
    /// Unreachable, broken off, or an error of the node's own.
    Failed,
    /// No answer in time.
    Timeout,
    /// Refused for overload.
    Overloaded,
    /// The caller gave up.
    Cancelled,
    /// Not ended: still running and well.
    Running,
}

/// What became of a reported outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settlement {
    /// The lease ended with it.
    Settled(NodeId),
    /// The lease lives on.
    Renewed(NodeId),
    /// An earlier outcome had ended the lease; nothing changed.
    AlreadySettled(NodeId),
    /// The lease had expired; the outcome still counted for the node's health.
    Late(NodeId),
    /// Not remembered; nothing changed.
    Unknown,
}
