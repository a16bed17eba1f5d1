//! `RoutingService`: each method checks what comes in, asks the desk, and tells what was decided.

mod batch;
mod lane;

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use futures_util::{Stream, StreamExt, stream};
use tonic::{Request, Response, Status, Streaming};
use tracing::{debug, info};

use super::{
    convert::{
        self, Invalid,
        reply::Told,
        request::{Pick, Terms, pick},
    },
    desk::Desk,
    leaving, status,
};
use crate::{
    domain::{decision::Decision, node::BreakerState},
    proto::{
        BatchPickNodesRequest, BatchPickNodesResponse, ExplainPickRequest, ExplainPickResponse,
        PickNodeRequest, PickNodeResponse, ReportOutcomeRequest, ReportOutcomeResponse, StreamPicksRequest,
        StreamPicksResponse, routing_service_server::RoutingService, stream_picks_response,
    },
};
use batch::Batch;
pub(super) use lane::Come;

/// What comes of a pick.
type Decided = Result<Told, Invalid>;

/// Most picks of one batch.
const BATCH_MAX: usize = 256;
/// Most picks of one stream that wait at once.
const STREAM_WAITING_MAX: usize = 256;

/// Decides where requests go.
#[derive(Debug, Clone)]
pub struct Routing {
    desk: Arc<Desk>,
    leaving: tokio_util::sync::CancellationToken,
    names: Arc<Names>,
}

/// Makes up the ids of requests that have none.
#[derive(Debug)]
struct Names {
    prefix: u64,
    next: AtomicU64,
}

impl Routing {
    /// Serves the desk until `leaving` is cancelled, which ends its streams. `seed` tells the names that this
    /// process makes up from those of another.
    pub fn new(desk: Arc<Desk>, leaving: tokio_util::sync::CancellationToken, seed: u64) -> Self {
        Self { desk, leaving, names: Arc::new(Names { prefix: seed, next: AtomicU64::new(0) }) }
    }

    fn check(&self, asked: &PickNodeRequest) -> Result<Pick, Invalid> {
        let policy = self.desk.policy();
        let terms = Terms {
            ttl_max: policy.leases.ttl_max,
            block_tokens: policy.prefixes.block_tokens,
            digester: self.desk.state.digester(),
        };
        pick(asked, &terms, || self.names.next())
    }

    /// The reply to a pick, unless it may have to be waited for.
    fn decide(&self, asked: &PickNodeRequest) -> Come<Decided> {
        match self.check(asked) {
            Err(bad) => Come::Now(Err(bad)),
            Ok(pick) if pick.max_wait.is_zero() => {
                let decision = self.desk.decide(&pick.request);
                Come::Now(Ok(told(pick, decision)))
            }
            Ok(pick) => Come::Later(Box::pin(self.clone().decide_within(pick))),
        }
    }

    async fn decide_within(self, pick: Pick) -> Decided {
        let decision = tokio::select! {
            decision = self.desk.decide_within(&pick.request, pick.max_wait) => decision,
            // A pick that waits must not be cut off with the process: it is told what holds now.
            () = self.leaving.cancelled() => self.desk.decide_at_last(&pick.request),
        };
        Ok(told(pick, decision))
    }

    /// `PickNode`.
    pub(super) fn pick(&self, asked: &PickNodeRequest) -> Come<Result<Told, Status>> {
        self.decide(asked).map(|decided| decided.map_err(|bad| status::invalid(&bad)))
    }

    /// `BatchPickNodes`.
    pub(super) fn batch(&self, asked: &BatchPickNodesRequest) -> Come<Result<Batch, Status>> {
        let picks = &asked.picks;
        if picks.is_empty() || picks.len() > BATCH_MAX {
            let range = format!("must hold 1 to {BATCH_MAX} items, got {}", picks.len());
            return Come::Now(Err(status::invalid(&Invalid::field("picks", range))));
        }
        lane::all(picks, |pick| self.decide(pick)).map(|decided| Ok(Batch(decided)))
    }

    /// `ReportOutcome`.
    pub(super) fn outcome(&self, told: &ReportOutcomeRequest) -> Result<ReportOutcomeResponse, Status> {
        let outcome = convert::outcome::outcome(told).map_err(|bad| status::invalid(&bad))?;
        let settled = self.desk.settle(&outcome);
        debug!(?outcome, ?settled, "outcome reported");
        let told = convert::outcome::settlement(settled.settlement);
        match settled.breaker {
            Some(BreakerState::Closed) => info!(node = told.node_id, "node readmitted"),
            Some(_) => info!(node = told.node_id, "node ejected after failures"),
            None => {}
        }
        Ok(told)
    }

    fn answer_streamed(&self, asked: StreamPicksRequest) -> Come<StreamPicksResponse> {
        use stream_picks_response::Result as Wire;
        let pick = asked.pick.unwrap_or_default();
        let decided = if pick.request_id.is_empty() {
            let required = "is required on a stream: replies are matched by it";
            Come::Now(Err(Invalid::field("pick.request_id", required)))
        } else {
            self.decide(&pick)
        };
        decided.map(|decided| {
            let result = decided.map(Told::message);
            let result = result.map_or_else(|bad| Wire::Error(status::pick_error(&bad)), Wire::Decision);
            StreamPicksResponse { request_id: pick.request_id, result: Some(result) }
        })
    }
}

fn told(pick: Pick, decision: Decision) -> Told {
    debug!(request = ?pick.request, ?decision, "decided");
    Told { request: pick.request.key.request, decision }
}

impl Names {
    fn next(&self) -> String {
        format!("{:016x}-{}", self.prefix, self.next.fetch_add(1, Relaxed))
    }
}

#[tonic::async_trait]
impl RoutingService for Routing {
    async fn pick_node(&self, asked: Request<PickNodeRequest>) -> Result<Response<PickNodeResponse>, Status> {
        self.pick(asked.get_ref()).come().await.map(Told::message).map(Response::new)
    }

    type StreamPicksStream = Pin<Box<dyn Stream<Item = Result<StreamPicksResponse, Status>> + Send>>;

    async fn stream_picks(
        &self,
        asked: Request<Streaming<StreamPicksRequest>>,
    ) -> Result<Response<Self::StreamPicksStream>, Status> {
        let routing = self.clone();
        let leaving = leaving::of(&asked, &self.leaving);
        let left = leaving.clone().cancelled_owned();
        // What was received before leaving is still answered.
        let answer = move |asked: Result<_, Status>| match asked {
            Ok(asked) => routing.answer_streamed(asked).map(Ok),
            Err(status) => Come::Now(Err(status)),
        };
        let answers =
            lane::answers(Box::pin(asked.into_inner().take_until(left)), answer, STREAM_WAITING_MAX);
        let farewell = stream::once(async move { leaving.is_cancelled() })
            .filter_map(|left| async move { left.then(|| Err(status::leaving())) });
        Ok(Response::new(Box::pin(answers.chain(farewell))))
    }

    async fn batch_pick_nodes(
        &self,
        asked: Request<BatchPickNodesRequest>,
    ) -> Result<Response<BatchPickNodesResponse>, Status> {
        self.batch(asked.get_ref()).come().await.map(|batch| Response::new(batch.into()))
    }

    async fn report_outcome(
        &self,
        told: Request<ReportOutcomeRequest>,
    ) -> Result<Response<ReportOutcomeResponse>, Status> {
        self.outcome(told.get_ref()).map(Response::new)
    }

    async fn explain_pick(
        &self,
        asked: Request<ExplainPickRequest>,
    ) -> Result<Response<ExplainPickResponse>, Status> {
        let asked = asked.into_inner().pick.unwrap_or_default();
        let pick = self.check(&asked).map_err(|bad| status::invalid(&bad.within("pick")))?;
        let decision = self.desk.explain(&pick.request);
        let decision = convert::decision::decision(&pick.request.key.request, decision);
        Ok(Response::new(ExplainPickResponse { decision: Some(decision) }))
    }
}
