//! What of `RoutingService` goes through tonic?
//!
//! Explanations. The other methods have a short way of their own (`api::dispatch`) unless their messages are encoded, and those
//! tonic refuses before it asks here.

use futures_util::stream::Empty;
use tonic::{Request, Response, Status, Streaming};

use super::Routing;
use crate::{
    api::{convert, status},
    proto::{
        BatchPickNodesRequest, BatchPickNodesResponse, ExplainPickRequest, ExplainPickResponse,
        PickNodeRequest, PickNodeResponse, ReportOutcomeRequest, ReportOutcomeResponse, StreamPicksRequest,
        StreamPicksResponse, routing_service_server::RoutingService,
    },
};

#[tonic::async_trait]
impl RoutingService for Routing {
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

    async fn pick_node(&self, _: Request<PickNodeRequest>) -> Result<Response<PickNodeResponse>, Status> {
        Err(status::astray())
    }

    type StreamPicksStream = Empty<Result<StreamPicksResponse, Status>>;

    async fn stream_picks(
        &self,
        _: Request<Streaming<StreamPicksRequest>>,
    ) -> Result<Response<Self::StreamPicksStream>, Status> {
        Err(status::astray())
    }

    async fn batch_pick_nodes(
        &self,
        _: Request<BatchPickNodesRequest>,
    ) -> Result<Response<BatchPickNodesResponse>, Status> {
        Err(status::astray())
    }

    async fn report_outcome(
        &self,
        _: Request<ReportOutcomeRequest>,
    ) -> Result<Response<ReportOutcomeResponse>, Status> {
        Err(status::astray())
    }
}
