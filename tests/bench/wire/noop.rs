//! What does gRPC itself cost? A server that decodes every request, and answers with the same reply.
//!
//! The reply has the shape and the length of Pointsman's.

use std::pin::Pin;

use futures_util::{Stream, StreamExt};
use pointsman::proto::{
    BatchPickNodesRequest, BatchPickNodesResponse, BatchPickResult, ExplainPickRequest, ExplainPickResponse,
    Fallback, PickNodeRequest, PickNodeResponse, ReportOutcomeRequest, ReportOutcomeResponse, Route, Rung,
    StreamPicksRequest, StreamPicksResponse, batch_pick_result, pick_node_response::Outcome,
    routing_service_server::RoutingService, stream_picks_response,
};
use prost_types::Duration;
use tonic::{Request, Response, Status, Streaming};

/// Answers at once.
pub(crate) struct Noop {
    reply: PickNodeResponse,
}

impl Noop {
    /// With the reply that all get.
    pub(crate) fn new() -> Self {
        let node = |number: u32| (format!("node-{number:05}"), format!("http://10.0.1.{number}:8000"));
        let fallback = |number| {
            let (node_id, endpoint) = node(number);
            Fallback { node_id, endpoint }
        };
        let (node_id, endpoint) = node(17);
        let route = Route {
            node_id,
            endpoint,
            fallbacks: vec![fallback(18), fallback(19)],
            lease_id: "123456".into(),
            lease_ttl: Some(Duration { seconds: 300, nanos: 0 }),
            expected_first_token_latency: Some(Duration { seconds: 0, nanos: 123_456_789 }),
            first_token_latency_target: Some(Duration { seconds: 3, nanos: 0 }),
            model: "model-0".into(),
            expected_cached_tokens: Some(8192),
            policy: "expected_cost".into(),
            ..Route::default()
        };
        let reply = PickNodeResponse {
            request_id: "0123456789abcdef".into(),
            outcome: Some(Outcome::Route(route)),
            rung: Rung::Normal.into(),
            explanation: None,
        };
        Self { reply }
    }
}

#[tonic::async_trait]
impl RoutingService for Noop {
    async fn pick_node(&self, _: Request<PickNodeRequest>) -> Result<Response<PickNodeResponse>, Status> {
        Ok(Response::new(self.reply.clone()))
    }

    type StreamPicksStream = Pin<Box<dyn Stream<Item = Result<StreamPicksResponse, Status>> + Send>>;

    async fn stream_picks(
        &self,
        asked: Request<Streaming<StreamPicksRequest>>,
    ) -> Result<Response<Self::StreamPicksStream>, Status> {
        use stream_picks_response::Result as Wire;
        let reply = self.reply.clone();
        let answers = asked.into_inner().map(move |asked| {
            asked?;
            let (request_id, result) = (reply.request_id.clone(), Some(Wire::Decision(reply.clone())));
            Ok(StreamPicksResponse { request_id, result })
        });
        Ok(Response::new(Box::pin(answers)))
    }

    async fn batch_pick_nodes(
        &self,
        asked: Request<BatchPickNodesRequest>,
    ) -> Result<Response<BatchPickNodesResponse>, Status> {
        use batch_pick_result::Result as Wire;
        let result = |_: &_| BatchPickResult { result: Some(Wire::Decision(self.reply.clone())) };
        Ok(Response::new(BatchPickNodesResponse {
            results: asked.get_ref().picks.iter().map(result).collect(),
        }))
    }

    async fn report_outcome(
        &self,
        _: Request<ReportOutcomeRequest>,
    ) -> Result<Response<ReportOutcomeResponse>, Status> {
        Err(Status::unimplemented("not measured"))
    }

    async fn explain_pick(
        &self,
        _: Request<ExplainPickRequest>,
    ) -> Result<Response<ExplainPickResponse>, Status> {
        Err(Status::unimplemented("not measured"))
    }
}
