//! What was decided. A refusal is a value like any other.

use std::{sync::Arc, time::Duration};

use super::{
    explanation::Explanation,
    filter::Filter,
    id::{LeaseId, NodeId},
};

/// The answer to one request.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// Where to, or no.
    pub outcome: Result<Route, Rejection>,
    /// How far from normal it was decided.
    pub rung: Rung,
    /// Why, if asked.
    pub explanation: Option<Explanation>,
}

/// Where to send a request.
#[derive(Debug, Clone, PartialEq)]
pub struct Route {
    /// The node and where it takes the request.
    pub target: Target,
    /// Where to go if it fails, best first.
    pub fallbacks: Vec<Target>,
    /// The reservation on the node; `None` where nothing was reserved (an explained pick).
    pub lease: Option<LeaseGrant>,
    /// First-token latency to expect; `None` means unknown.
    pub expected_first_token_latency: Option<Duration>,
    /// First-token latency that the request's tier is promised.
    pub first_token_target: Duration,
    /// Whether the node is of the other class than the request's.
    pub spilled: bool,
    /// Whether this repeats an earlier decision.
    pub repeated: bool,
}

/// One node as a destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The node.
    pub node: NodeId,
    /// Its endpoint for the request's type.
    pub endpoint: Arc<str>,
}

/// A pick's reservation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeaseGrant {
    /// Names the pick.
    pub id: LeaseId,
    /// How long it lasts without a word.
    pub ttl: Duration,
}

/// Why there is no route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// The reason.
    pub reason: RejectionReason,
    /// When asking again can help; `None` means not until the fleet or the policy changes.
    pub retry_delay: Option<Duration>,
}

/// The service says no.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RejectionReason {
    /// The node table is empty.
    NoNodes,
    /// No node passed the filters; this one dropped the last.
    NoEligibleNode(Filter),
    /// As many leases live as the policy allows.
    LeasesExhausted,
}

/// How far from normal a decision was made; the greater, the farther.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Rung {
    /// All information was good.
    #[default]
    Normal,
    /// Most nodes went silent at once: silence is not held against them.
    Frozen,
    /// Too much of the pool is ejected: breakers are not held against the nodes.
    Panic,
}
