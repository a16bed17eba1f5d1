//! A gateway, as anybody would write one: pick, forward, report how it ended, and try elsewhere if it failed.

use std::time::Duration;

use futures_util::StreamExt;
use reqwest::Client;
use serde_json::{Value, json};
use tokio::time::{Instant, timeout};
use tonic::transport::{Channel, Endpoint};

use super::{
    DemoError,
    fleet::{Fleet, MODEL},
    node::{Chat, Message},
    workload::Arrival,
};
use crate::{
    domain::{node::RequestType, request::Tier},
    proto::{
        self, OutcomeResult, PickNodeRequest, ReportOutcomeRequest, Route, pick_node_response::Outcome,
        routing_service_client::RoutingServiceClient,
    },
    wire,
};

/// Attempts at one request, at most.
const ATTEMPTS_MAX: usize = 3;
/// How long a request may wait for a node to become eligible.
const MAX_WAIT: Duration = Duration::from_secs(2);
/// How long a node may take.
const NODE_TIMEOUT: Duration = Duration::from_secs(20);

/// Stands between users and nodes.
#[derive(Debug, Clone)]
pub(super) struct Gateway {
    routing: RoutingServiceClient<Channel>,
    http: Client,
}

/// How a request went.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Served {
    /// Who asked; `None` where even that is lost.
    pub(super) tier: Option<Tier>,
    /// From its arrival to the first token (or the whole image or text); `None` if it was lost.
    pub(super) first_token: Option<Duration>,
    /// Node and moment of each pick.
    pub(super) picks: Vec<(String, Instant)>,
    /// Attempts that failed.
    pub(super) failed_attempts: usize,
}

impl Served {
    /// A request of which nothing is known.
    pub(super) fn lost() -> Self {
        Self { tier: None, first_token: None, picks: Vec::new(), failed_attempts: 0 }
    }
}

impl Gateway {
    /// A gateway for this fleet.
    pub(super) async fn connect(fleet: &Fleet) -> Result<Self, DemoError> {
        let channel = Endpoint::from_shared(format!("http://{}", fleet.address()))?.connect().await?;
        Ok(Self { routing: RoutingServiceClient::new(channel), http: Client::new() })
    }

    /// Serves one request.
    pub(super) async fn serve(mut self, number: usize, arrival: Arrival) -> Served {
        let arrived = Instant::now();
        let mut served = Served { tier: Some(arrival.tier), ..Served::lost() };
        let mut pick = request(number, &arrival);
        for _ in 0..ATTEMPTS_MAX {
            let Some(route) = self.pick(&pick).await else { break };
            served.picks.push((route.node_id.clone(), Instant::now()));
            let sent = Instant::now();
            let first_token = self.forward(&route.endpoint, &arrival).await;
            self.report(&pick, &route, sent, first_token).await;
            if let Some(first_token) = first_token {
                served.first_token = Some(first_token - arrived);
                break;
            }
            served.failed_attempts += 1;
            pick.excluded_node_ids.push(route.node_id);
        }
        served
    }

    async fn pick(&mut self, request: &PickNodeRequest) -> Option<Route> {
        match self.routing.pick_node(request.clone()).await.ok()?.into_inner().outcome? {
            Outcome::Route(route) => Some(route),
            Outcome::Rejection(_) => None,
        }
    }

    /// When the first token came; `None` if the answer did not come whole.
    async fn forward(&self, endpoint: &str, arrival: &Arrival) -> Option<Instant> {
        let answer = async {
            let response = self.http.post(endpoint).json(&body(arrival)).send().await.ok()?;
            let mut chunks = response.error_for_status().ok()?.bytes_stream();
            chunks.next().await?.ok()?;
            let first_token = Instant::now();
            while let Some(chunk) = chunks.next().await {
                chunk.ok()?;
            }
            Some(first_token)
        };
        timeout(NODE_TIMEOUT, answer).await.ok()?
    }

    async fn report(
        &mut self,
        pick: &PickNodeRequest,
        route: &Route,
        sent: Instant,
        first_token: Option<Instant>,
    ) {
        let result = if first_token.is_some() { OutcomeResult::Ok } else { OutcomeResult::Failed };
        let outcome = ReportOutcomeRequest {
            request_id: pick.request_id.clone(),
            lease_id: route.lease_id.clone(),
            result: result.into(),
            first_token_latency: first_token.map(|first| wire::duration(first - sent)),
            total_latency: Some(wire::duration(sent.elapsed())),
            ..ReportOutcomeRequest::default()
        };
        // A report that is lost costs a lease that expires; the user has the answer.
        let _ = self.routing.report_outcome(outcome).await;
    }
}

fn request(number: usize, arrival: &Arrival) -> PickNodeRequest {
    let tier = match arrival.tier {
        Tier::Premium => proto::Tier::Premium,
        Tier::Free => proto::Tier::Free,
    };
    PickNodeRequest {
        request_id: format!("demo-{number}"),
        request_type: wire::request_type(arrival.kind).into(),
        model: MODEL.into(),
        tier: tier.into(),
        prompt_tokens: Some(arrival.prompt_tokens.into()),
        max_wait: Some(wire::duration(MAX_WAIT)),
        ..PickNodeRequest::default()
    }
}

fn body(arrival: &Arrival) -> Value {
    match arrival.kind {
        RequestType::Image => {
            json!({ "model": MODEL, "prompt": "a switch tower at dawn", "size": "512x512" })
        }
        RequestType::Audio => json!({ "model": MODEL, "file": "" }),
        _ => json!(Chat {
            model: MODEL.into(),
            messages: vec![Message {
                role: "user".into(),
                content: "word ".repeat(arrival.prompt_tokens as usize),
            }],
            max_tokens: arrival.answer_tokens,
            stream: true,
        }),
    }
}
