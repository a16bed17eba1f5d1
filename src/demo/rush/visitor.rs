//! What does a gateway do that shares answers?
//!
//! It says what is asked by a fingerprint, gives a known answer without a node, and stores a new one for the next.

use std::{sync::Arc, time::Duration};

use tokio::time::{Instant, sleep};
use tonic::transport::Channel;

use super::{
    super::{DemoError, fleet::Fleet, gateway::forward::Forwarder, workload::Work},
    hour::{Kind, Visit},
};
use crate::{
    domain::answer::fingerprint::Fingerprint,
    proto::{
        self, OutcomeResult, PickNodeRequest, PickNodeResponse, RejectionReason, ReportOutcomeRequest, Route,
        StoreAnswerRequest, answer_service_client::AnswerServiceClient, pick_node_request,
        pick_node_response::Outcome, routing_service_client::RoutingServiceClient, store_answer_request,
    },
};

/// What every question of the rush costs a node.
const WORK: Work = Work::Text { prompt_tokens: 300, answer_tokens: 40 };
const MODEL: &str = "chat-8b";

/// Whether answers are shared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shares {
    Yes,
    No,
}

/// A gateway.
#[derive(Debug)]
pub(super) struct Visitor {
    routing: RoutingServiceClient<Channel>,
    answers: AnswerServiceClient<Channel>,
    forwarder: Forwarder,
    shares: Shares,
}

/// What became of a request.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Visited {
    pub(super) visit: Visit,
    pub(super) end: End,
    /// For the one that comes back: whether it was served when it was told to come.
    pub(super) served_when_told: Option<bool>,
}

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// Its answer was known.
    Known,
    /// A node answered; the first token came so long after the request.
    Answered(Duration),
    /// Its user is over a limit, and may come back after this.
    OverLimit(Duration),
    /// The nodes are too busy for it.
    Busy,
    /// None of these.
    Lost,
}

impl End {
    pub(super) fn is_answer(self) -> bool {
        matches!(self, Self::Known | Self::Answered(_))
    }

    pub(super) fn first_token(self) -> Option<Duration> {
        match self {
            Self::Answered(latency) => Some(latency),
            _ => None,
        }
    }
}

impl Visitor {
    pub(super) async fn new(fleet: &Fleet, shares: Shares) -> Result<Arc<Self>, DemoError> {
        let channel = fleet.connect().await?;
        Ok(Arc::new(Self {
            routing: RoutingServiceClient::new(channel.clone()),
            answers: AnswerServiceClient::new(channel),
            forwarder: Forwarder::new().map_err(DemoError::Forward)?,
            shares,
        }))
    }

    /// Serves one request that arrived at this moment; the one that comes back does so when it was told.
    pub(super) async fn visit(self: Arc<Self>, visit: Visit, arrived: Instant) -> Visited {
        let end = self.serve(&visit, visit.number.to_string(), arrived).await;
        let served_when_told = match end {
            End::OverLimit(delay) if visit.comes_back() => {
                sleep(delay).await;
                Some(self.serve(&visit, "again".to_owned(), Instant::now()).await.is_answer())
            }
            _ => None,
        };
        Visited { visit, end, served_when_told }
    }

    async fn serve(&self, visit: &Visit, name: String, arrived: Instant) -> End {
        let request_id = format!("rush-{:?}-{name}", visit.kind);
        let picked = self.routing.clone().pick_node(self.pick(visit, request_id.clone())).await;
        match picked.map(tonic::Response::into_inner) {
            Ok(PickNodeResponse { outcome: Some(Outcome::CachedAnswer(_)), .. }) => End::Known,
            Ok(PickNodeResponse { outcome: Some(Outcome::Route(route)), .. }) => {
                self.forward(visit, request_id, route, arrived).await
            }
            Ok(PickNodeResponse { outcome: Some(Outcome::Rejection(refused)), .. }) => refusal(&refused),
            Ok(_) | Err(_) => End::Lost,
        }
    }

    async fn forward(&self, visit: &Visit, request_id: String, route: Route, arrived: Instant) -> End {
        let picked = Instant::now();
        let answered = self.forwarder.forward(&route.endpoint, WORK).await;
        let result = if answered.is_ok() { OutcomeResult::Ok } else { OutcomeResult::Failed };
        let told =
            ReportOutcomeRequest { request_id, result: result.into(), ..ReportOutcomeRequest::default() };
        // An outcome or an answer that is not taken costs the next one, not this one.
        let _ = self.routing.clone().report_outcome(told).await;
        let Ok(answer) = answered else { return End::Lost };
        if self.shares == Shares::Yes {
            let _ = self.answers.clone().store_answer(kept(visit)).await;
        }
        End::Answered(picked - arrived + answer.first_token_latency)
    }

    fn pick(&self, visit: &Visit, request_id: String) -> PickNodeRequest {
        let question = pick_node_request::Question::Fingerprint(fingerprint(visit));
        let (tier, priority) = match visit.kind {
            Kind::Premium => (proto::Tier::Premium, proto::Priority::Normal),
            Kind::Normal | Kind::Greedy => (proto::Tier::Free, proto::Priority::Normal),
            Kind::Low => (proto::Tier::Free, proto::Priority::Low),
        };
        PickNodeRequest {
            request_id,
            request_type: proto::RequestType::Text.into(),
            model: MODEL.to_owned(),
            user: visit.user(),
            tier: tier.into(),
            priority: priority.into(),
            question: (self.shares == Shares::Yes).then_some(question),
            ..PickNodeRequest::default()
        }
    }
}

fn kept(visit: &Visit) -> StoreAnswerRequest {
    StoreAnswerRequest {
        request_type: proto::RequestType::Text.into(),
        model: MODEL.to_owned(),
        question: Some(store_answer_request::Question::Fingerprint(fingerprint(visit))),
        body: Some(store_answer_request::Body::Reference(format!("answer-{}", visit.question))),
        ..StoreAnswerRequest::default()
    }
}

fn fingerprint(visit: &Visit) -> Vec<u8> {
    let canonical = format!(r#"{{"messages":[{{"content":"question {}","role":"user"}}]}}"#, visit.question);
    Fingerprint::of_canonical(canonical.as_bytes()).as_bytes().to_vec()
}

fn refusal(refused: &proto::Rejection) -> End {
    let delay = refused.retry_delay.and_then(|delay| Duration::try_from(delay).ok());
    match (refused.reason(), delay) {
        (RejectionReason::OverLimit, Some(delay)) => End::OverLimit(delay),
        (RejectionReason::Busy, _) => End::Busy,
        _ => End::Lost,
    }
}
