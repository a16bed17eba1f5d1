//! What was decided. A refusal is a value like any other.

use std::{fmt, sync::Arc, time::Duration};

use super::{
    answer::{AnswerBody, Leader},
    degradation::Pool,
    explanation::Explanation,
    filter::Filter,
    id::{LeaseId, ModelName, NodeId, NodeNumber},
    limit::OverLimit,
    policy::Balance,
};

/// The answer to one request.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// Yes, or no.
    pub outcome: Result<Granted, Rejection>,
    /// How far from normal it was decided.
    pub rung: Rung,
    /// Why, if asked. Boxed, like all that is rare: a decision is handed on many times.
    pub explanation: Option<Box<Explanation>>,
    /// Set where the decision found that the pool has changed its rung: what to. Told once a change, for the log.
    pub turned: Option<Box<Pool>>,
}

/// The service says yes.
#[derive(Debug, Clone, PartialEq)]
pub enum Granted {
    /// Send it there.
    Route(Box<Route>),
    /// No node is needed: this is the answer.
    Answer(CachedAnswer),
}

/// A known answer.
#[derive(Debug, Clone, PartialEq)]
pub struct CachedAnswer {
    /// The answer, as it was stored.
    pub body: AnswerBody,
    /// Time since then.
    pub age: Duration,
    /// Whether it has outlived its freshness.
    pub stale: bool,
    /// Whether the request waited for an identical one to be answered.
    pub coalesced: bool,
}

/// Where to send a request.
#[derive(Debug, Clone, PartialEq)]
pub struct Route {
    /// The node and where it takes the request, then where to go if it fails.
    pub targets: Targets,
    /// The reservation on the node; `None` where nothing was reserved (an explained pick).
    pub lease: Option<LeaseGrant>,
    /// First-token latency to expect; `None` means unknown.
    pub expected_first_token_latency: Option<Duration>,
    /// Tokens of the prompt that the node is taken to hold already; `None` means unknown.
    pub expected_cached_tokens: Option<u32>,
    /// First-token latency that the request wants or, if it does not say, its tier is promised.
    pub first_token_target: Duration,
    /// Whether the node is of the other class than the request's.
    pub spilled: bool,
    /// Whether this repeats an earlier decision.
    pub repeated: bool,
    /// The policy that picked; never [`Balance::Auto`], but what that led to.
    pub balance: Balance,
    /// The model to ask for: the request's, or the smaller one that takes its place.
    pub model: ModelName,
}

/// A node to go to, and others to go to if it fails, best first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Targets(Box<[Target]>);

impl Targets {
    /// The best one and those after it; `None` of none.
    pub fn new(best_first: impl IntoIterator<Item = Target>) -> Option<Self> {
        let targets: Box<[_]> = best_first.into_iter().collect();
        (!targets.is_empty()).then_some(Self(targets))
    }

    /// The one to go to.
    pub fn best(&self) -> &Target {
        &self.0[0]
    }

    /// Those to go to if it fails.
    pub fn fallbacks(&self) -> &[Target] {
        &self.0[1..]
    }
}

/// One node as a destination of requests of one type.
///
/// In one piece of memory: of a large fleet each node's is far away when it is picked, and each piece is a walk of its own.
#[derive(Clone, PartialEq, Eq)]
pub struct Target {
    /// The node's id, then the endpoint.
    text: Arc<str>,
    node_bytes: usize,
    number: NodeNumber,
}

impl Target {
    /// A node, and where it takes requests of the type.
    pub fn new(node: &NodeId, number: NodeNumber, endpoint: &str) -> Self {
        let node = node.as_str();
        Self { text: [node, endpoint].concat().into(), node_bytes: node.len(), number }
    }

    /// The node's number.
    pub fn number(&self) -> NodeNumber {
        self.number
    }

    /// The node's id.
    pub fn node(&self) -> &str {
        &self.text[..self.node_bytes]
    }

    /// Its endpoint for that type.
    pub fn endpoint(&self) -> &str {
        &self.text[self.node_bytes..]
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Target").field("node", &self.node()).field("endpoint", &self.endpoint()).finish()
    }
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

impl Rejection {
    /// Whether it may be worth waiting: there is a time after which asking again can help, and it is not that those who
    /// wait are meant to go away.
    pub fn may_pass(&self) -> bool {
        self.retry_delay.is_some() && !matches!(self.reason, RejectionReason::Busy { .. })
    }
}

/// The service says no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RejectionReason {
    /// The node table is empty.
    NoNodes,
    /// No node passed the filters; this one dropped the last.
    NoEligibleNode(Filter),
    /// As many leases live as the policy allows.
    LeasesExhausted,
    /// The caller is over a limit.
    OverLimit(OverLimit),
    /// The pool is too busy for such requests.
    Busy {
        /// What the operator wants those told; `None` means the usual.
        message: Option<Arc<str>>,
    },
    /// No node is expected to give the first token in time.
    Late,
    /// No node has room below its own capacity; only said to those who may wait.
    Saturated,
    /// An identical request is on its way; only said to those who may wait for its answer.
    AnswerPending(Leader),
}

/// How far from normal a decision was made; the greater, the farther.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Rung {
    /// All information was good.
    #[default]
    Normal,
    /// The pool is busy: free requests of low priority get less.
    Busy,
    /// The pool is very busy: free requests of normal priority get less too.
    Overloaded,
    /// Most nodes went silent at once: silence is not held against them.
    Frozen,
    /// Too much of the pool is ejected: breakers are not held against the nodes.
    Panic,
}
