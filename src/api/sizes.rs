//! How long may a message be?
//!
//! tonic refuses what is longer by the length that stands before a message, before it takes memory for it: `OUT_OF_RANGE`, with both
//! lengths. Its limit is one for all methods of a service; a batch of picks is longer than a pick.

use std::{
    convert::Infallible,
    task::{Context, Poll},
};

use tonic::{
    body::Body,
    codegen::{BoxFuture, Service, http},
    server::NamedService,
};

use super::routing::Routing;
use crate::{config::ServerConfig, proto::routing_service_server::RoutingServiceServer};

/// The method whose messages are batches.
const BATCH_PATH: &str = "/pointsman.v1.RoutingService/BatchPickNodes";

/// `RoutingService` with a limit for picks and one for batches of them.
#[derive(Debug, Clone)]
pub(super) struct SizedRouting {
    picks: RoutingServiceServer<Routing>,
    batches: RoutingServiceServer<Routing>,
}

impl SizedRouting {
    pub(super) fn new(routing: &Routing, config: &ServerConfig) -> Self {
        let sized =
            |bytes_max| RoutingServiceServer::new(routing.clone()).max_decoding_message_size(bytes_max);
        Self { picks: sized(config.pick_bytes_max), batches: sized(config.batch_bytes_max) }
    }
}

impl NamedService for SizedRouting {
    const NAME: &'static str = <RoutingServiceServer<Routing> as NamedService>::NAME;
}

impl Service<http::Request<Body>> for SizedRouting {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Self::Error>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let sized = if request.uri().path() == BATCH_PATH { &mut self.batches } else { &mut self.picks };
        sized.call(request)
    }
}
