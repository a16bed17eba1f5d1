//! Who answers a call?
//!
//! The calls that every request makes have a short way of their own; the others go through tonic.

use std::{convert::Infallible, sync::Arc};

use futures_util::future::Either;
use hyper::body::Incoming;
use tokio_util::sync::CancellationToken;
use tonic::{
    Status,
    codegen::{
        BoxFuture, Service,
        http::{self, HeaderMap, Response},
    },
    service::Routes,
};

use super::{
    convert::reply::Generated,
    deadline, leaving,
    routing::{Come, Routing},
    unary::{self, Reply},
};

/// All that is served.
#[derive(Debug, Clone)]
pub(super) struct Dispatch {
    /// Answers picks and outcomes.
    pub(super) routing: Arc<Routing>,
    /// Answers everything else.
    pub(super) routes: Routes,
    /// Longest pick, and longest outcome.
    pub(super) pick_bytes_max: usize,
    /// Longest batch of picks.
    pub(super) batch_bytes_max: usize,
}

/// A method that has the short way.
#[derive(Debug, Clone, Copy)]
enum Method {
    Pick,
    Batch,
    Outcome,
}

impl Method {
    /// The method of a call; `None` where it must go through tonic, which knows what to say of encodings.
    fn of(request: &http::Request<Incoming>) -> Option<Self> {
        let method = match request.uri().path() {
            "/pointsman.v1.RoutingService/PickNode" => Self::Pick,
            "/pointsman.v1.RoutingService/BatchPickNodes" => Self::Batch,
            "/pointsman.v1.RoutingService/ReportOutcome" => Self::Outcome,
            _ => return None,
        };
        (!is_encoded(request.headers())).then_some(method)
    }
}

fn is_encoded(headers: &HeaderMap) -> bool {
    headers.get("grpc-encoding").is_some_and(|encoding| encoding != "identity")
}

impl Dispatch {
    /// Answers a call over a connection, within the time that its caller gives it.
    pub(super) fn call(
        &self,
        request: http::Request<Incoming>,
        leaving: &CancellationToken,
    ) -> impl Future<Output = Result<Response<Reply>, Infallible>> + use<> {
        let limit = deadline::of(request.headers());
        let answer = match Method::of(&request) {
            Some(method) => Either::Left(self.answer(method, request.into_body())),
            None => Either::Right(self.route(request, leaving)),
        };
        match limit {
            None => Either::Left(answer),
            Some(limit) => Either::Right(Box::pin(deadline::within(limit, answer))),
        }
    }

    fn answer(
        &self,
        method: Method,
        body: Incoming,
    ) -> impl Future<Output = Result<Response<Reply>, Infallible>> + use<> {
        let routing = Arc::clone(&self.routing);
        let (pick_max, batch_max) = (self.pick_bytes_max, self.batch_bytes_max);
        async move {
            let reply = match method {
                Method::Pick => pick(&routing, body, pick_max).await,
                // Boxed, as it is seldom: what it holds while picks wait would be moved about with each call.
                Method::Batch => Box::pin(batch(&routing, body, batch_max)).await,
                Method::Outcome => outcome(&routing, body, pick_max).await,
            };
            Ok(reply.unwrap_or_else(Status::into_http))
        }
    }

    fn route(
        &self,
        mut request: http::Request<Incoming>,
        leaving: &CancellationToken,
    ) -> BoxFuture<Response<Reply>, Infallible> {
        let mut routes = self.routes.clone();
        leaving::mark(request.extensions_mut(), leaving);
        Box::pin(async move { Ok(routes.call(request).await?.map(Reply::Routed)) })
    }
}

/// What is asked is not kept while a pick waits: a call is the smaller for it, and each is moved about.
async fn pick(routing: &Routing, body: Incoming, bytes_max: usize) -> Result<Response<Reply>, Status> {
    let come = routing.pick(&unary::asked(body, bytes_max).await?);
    let later = match come {
        Come::Now(told) => return told.map(|told| unary::reply(&told)),
        Come::Later(later) => later,
    };
    later.await.map(|told| unary::reply(&told))
}

async fn batch(routing: &Routing, body: Incoming, bytes_max: usize) -> Result<Response<Reply>, Status> {
    let batch = routing.batch(&unary::asked(body, bytes_max).await?).await?;
    Ok(unary::reply(&batch))
}

async fn outcome(routing: &Routing, body: Incoming, bytes_max: usize) -> Result<Response<Reply>, Status> {
    let told = routing.outcome(&unary::asked(body, bytes_max).await?)?;
    Ok(unary::reply(&Generated(&told)))
}
