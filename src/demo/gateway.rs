//! What does a gateway do for each request?
//!
//! Asks where to send it, sends it there, says how it went; and if it went wrong asks again, naming the nodes that it
//! has tried. This is all that a gateway has to do to use the service.

pub(super) mod forward;

use std::time::Duration;

use tokio::time::Instant;
use tonic::transport::Channel;

use super::workload::Arrival;
use crate::{
    domain::{node::RequestType, request::Tier},
    proto::{
        self, OutcomeResult, PickNodeRequest, ReportOutcomeRequest, Route, pick_node_response::Outcome,
        routing_service_client::RoutingServiceClient,
    },
};
use forward::{Answer, Failure, Forwarder};

/// Most nodes that are tried for one request.
const ATTEMPTS_MAX: usize = 3;
/// How long a request may wait for a node to become eligible.
const MAX_WAIT: Duration = Duration::from_secs(2);

/// Sends requests where the service says.
#[derive(Debug, Clone)]
pub(super) struct Gateway {
    routing: RoutingServiceClient<Channel>,
    forwarder: Forwarder,
}

/// What became of a request.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Served {
    /// What its user pays for.
    pub(super) tier: Tier,
    /// What it asked for.
    pub(super) request_type: RequestType,
    /// Time from its arrival to the first token of the attempt that succeeded, asking and failed attempts included;
    /// `None` if it was lost.
    pub(super) first_token_latency: Option<Duration>,
    /// Where it was sent, in order.
    pub(super) attempts: Vec<Attempt>,
}

/// One sending of a request.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Attempt {
    /// Node that was picked.
    pub(super) node: String,
    /// When the decision came.
    pub(super) picked: Instant,
    /// Time to ask for it.
    pub(super) pick_latency: Duration,
    /// Whether the node answered to the end.
    pub(super) answered: bool,
}

impl Served {
    /// A request that nobody has answered.
    pub(super) fn lost(arrival: &Arrival) -> Self {
        Self {
            tier: arrival.tier,
            request_type: arrival.work.request_type(),
            first_token_latency: None,
            attempts: Vec::new(),
        }
    }
}

impl Gateway {
    /// A gateway of the service at the end of this connection.
    pub(super) fn new(service: Channel) -> Result<Self, reqwest::Error> {
        Ok(Self { routing: RoutingServiceClient::new(service), forwarder: Forwarder::new()? })
    }

    /// Serves one request that arrived at this moment, to its end.
    pub(super) async fn serve(mut self, arrival: Arrival, arrived: Instant) -> Served {
        let mut served = Served::lost(&arrival);
        while served.attempts.len() < ATTEMPTS_MAX && served.first_token_latency.is_none() {
            let tried = served.attempts.iter().map(|attempt| attempt.node.clone()).collect();
            let asked = Instant::now();
            let Some(route) = self.pick(&arrival, tried).await else { break };
            let picked = Instant::now();
            let result = self.forwarder.forward(&route.endpoint, arrival.work).await;
            served.attempts.push(Attempt {
                node: route.node_id.clone(),
                picked,
                pick_latency: picked - asked,
                answered: result.is_ok(),
            });
            served.first_token_latency =
                result.as_ref().ok().map(|answer| picked - arrived + answer.first_token_latency);
            self.report(&arrival, route, result).await;
        }
        served
    }

    async fn pick(&mut self, arrival: &Arrival, tried: Vec<String>) -> Option<Route> {
        let request = PickNodeRequest {
            request_id: request_id(arrival),
            request_type: request_type(arrival.work.request_type()).into(),
            model: arrival.work.model().into(),
            user: arrival.user.clone(),
            tier: tier(arrival.tier).into(),
            prompt_tokens: arrival.work.prompt_tokens().map(i64::from),
            excluded_node_ids: tried,
            max_wait: prost_types::Duration::try_from(MAX_WAIT).ok(),
            ..PickNodeRequest::default()
        };
        let decided = self.routing.pick_node(request).await;
        match decided.map(|response| response.into_inner().outcome) {
            Ok(Some(Outcome::Route(route))) => Some(route),
            Ok(rejection) => {
                tracing::warn!(?rejection, "a request of the demo was rejected");
                None
            }
            Err(status) => {
                tracing::warn!(%status, "a pick of the demo failed");
                None
            }
        }
    }

    async fn report(&mut self, arrival: &Arrival, route: Route, result: Result<Answer, Failure>) {
        let span = |time: Duration| prost_types::Duration::try_from(time).ok();
        let (outcome, answer) = match result {
            Ok(answer) => (OutcomeResult::Ok, Some(answer)),
            Err(Failure::Broken) => (OutcomeResult::Failed, None),
            Err(Failure::Timeout) => (OutcomeResult::Timeout, None),
        };
        let is_text = arrival.work.request_type() == RequestType::Text;
        let first_token = answer.filter(|_| is_text).map(|answer| answer.first_token_latency);
        let report = ReportOutcomeRequest {
            request_id: request_id(arrival),
            lease_id: route.lease_id,
            result: outcome.into(),
            // An image has no first token: its time would spoil what the service expects of the node.
            first_token_latency: first_token.and_then(span),
            total_latency: answer.and_then(|answer| span(answer.total_latency)),
            input_tokens: arrival.work.prompt_tokens().map(i64::from),
            ..ReportOutcomeRequest::default()
        };
        if let Err(status) = self.routing.report_outcome(report).await {
            tracing::warn!(%status, "an outcome of the demo was not taken");
        }
    }
}

fn request_id(arrival: &Arrival) -> String {
    format!("demo-{}", arrival.index)
}

fn tier(tier: Tier) -> proto::Tier {
    match tier {
        Tier::Premium => proto::Tier::Premium,
        Tier::Free => proto::Tier::Free,
    }
}

/// The demo asks for three of the types.
fn request_type(kind: RequestType) -> proto::RequestType {
    match kind {
        RequestType::Text => proto::RequestType::Text,
        RequestType::Image => proto::RequestType::Image,
        RequestType::Audio => proto::RequestType::Audio,
        RequestType::Embedding | RequestType::Video | RequestType::Rerank => proto::RequestType::Unspecified,
    }
}

#[cfg(test)]
mod tests;
