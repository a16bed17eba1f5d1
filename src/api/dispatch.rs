//! Who answers a call?
//!
//! The calls that every request makes and those that agents make all the time have a short way of their own; the others go
//! through tonic.

use std::{
    future::poll_fn,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use h2::{RecvStream, server::SendResponse};
use prost::bytes::Bytes;
use tokio_util::sync::CancellationToken;
use tonic::{
    Status,
    codegen::{
        Service,
        http::{HeaderMap, HeaderName, Request},
    },
    service::Routes,
};

use super::{
    caller::Caller,
    deadline,
    desk::Desk,
    lane::Come,
    loads::Conversation,
    message::decoded,
    routed::{self, Sent},
    routing::Routing,
    scratch,
    stream::{self, Talk},
    unary::Asked,
};

const GRPC_ENCODING: HeaderName = HeaderName::from_static("grpc-encoding");

/// All that is served.
#[derive(Debug, Clone)]
pub(super) struct Dispatch {
    /// Answers picks and outcomes.
    pub(super) routing: Routing,
    /// Answers everything else.
    pub(super) routes: Routes,
    /// Hears reports.
    pub(super) desk: Arc<Desk>,
    /// Longest report.
    pub(super) report_bytes_max: usize,
    /// Longest pick, and longest outcome.
    pub(super) pick_bytes_max: usize,
    /// Longest batch of picks.
    pub(super) batch_bytes_max: usize,
}

/// The way of a call.
#[derive(Debug, Clone, Copy)]
enum Way {
    /// One message is answered with one.
    Unary(Method),
    /// A stream of picks.
    Picks,
    /// A stream of reports.
    Reports,
    /// All else goes through tonic, which knows what to say of encodings, too.
    Tonic,
}

/// A method of one message that has the short way.
#[derive(Debug, Clone, Copy)]
enum Method {
    Pick,
    Batch,
    Outcome,
}

impl Way {
    fn of(request: &Request<RecvStream>) -> Self {
        let way = match request.uri().path() {
            "/pointsman.v1.RoutingService/PickNode" => Self::Unary(Method::Pick),
            "/pointsman.v1.RoutingService/BatchPickNodes" => Self::Unary(Method::Batch),
            "/pointsman.v1.RoutingService/ReportOutcome" => Self::Unary(Method::Outcome),
            "/pointsman.v1.RoutingService/StreamPicks" => Self::Picks,
            "/pointsman.v1.LoadService/ReportLoad" => Self::Reports,
            _ => return Self::Tonic,
        };
        if is_encoded(request.headers()) { Self::Tonic } else { way }
    }
}

fn is_encoded(headers: &HeaderMap) -> bool {
    headers.get(GRPC_ENCODING).is_some_and(|encoding| encoding != "identity")
}

impl Dispatch {
    /// Answers a call over a connection, within the time that its caller gives it. What cannot be answered at once goes on
    /// as a task; `leaving` is the connection's.
    pub(super) fn call(
        self: &Arc<Self>,
        (request, caller): (Request<RecvStream>, SendResponse<Bytes>),
        leaving: &CancellationToken,
    ) {
        match Way::of(&request) {
            Way::Unary(method) => self.answer(method, request, Caller(caller)),
            Way::Picks => talk(self.routing.clone(), self.pick_bytes_max, (request, caller), leaving),
            Way::Reports => {
                let conversation = Conversation::new(Arc::clone(&self.desk));
                talk(conversation, self.report_bytes_max, (request, caller), leaving);
            }
            Way::Tonic => self.route(request, caller),
        }
    }

    fn answer(self: &Arc<Self>, method: Method, request: Request<RecvStream>, caller: Caller) {
        let (head, body) = request.into_parts();
        let mut asked = Asked::new(body, self.bytes_max(method));
        let come = match asked.poll(&mut nobody()) {
            Poll::Ready(message) => self.reply(method, message),
            Poll::Pending => Come::Later(Box::pin(Arc::clone(self).read_on(method, asked))),
        };
        match come.begin() {
            Come::Now(reply) => caller.tell(reply),
            Come::Later(reply) => {
                spawn(caller.tell_later(deadline::within(deadline::of(&head.headers), reply)));
            }
        }
    }

    fn bytes_max(&self, method: Method) -> usize {
        match method {
            Method::Pick | Method::Outcome => self.pick_bytes_max,
            Method::Batch => self.batch_bytes_max,
        }
    }

    async fn read_on(self: Arc<Self>, method: Method, mut asked: Asked) -> Result<Vec<u8>, Status> {
        let message = poll_fn(|cx| asked.poll(cx)).await;
        self.reply(method, message).come().await
    }

    /// The reply to a message, with its prefix.
    fn reply(&self, method: Method, message: Result<Bytes, Status>) -> Come<Result<Vec<u8>, Status>> {
        let come = message.and_then(|message| match method {
            Method::Pick => scratch::pick(&message, |asked| self.routing.pick(asked))?,
            Method::Batch => self.routing.batch(&decoded(&message)?),
            Method::Outcome => self.routing.outcome(&decoded(&message)?).map(Come::Now),
        });
        come.map_or_else(|status| Come::Now(Err(status)), |come| come.map(Ok))
    }

    fn route(&self, request: Request<RecvStream>, caller: SendResponse<Bytes>) {
        let limit = deadline::of(request.headers());
        let request = request.map(Sent);
        let mut routes = self.routes.clone();
        let reply = async move {
            let Ok(reply) = routes.call(request).await;
            Ok(reply)
        };
        begin(routed::tell(caller, deadline::within(limit, reply)));
    }
}

/// Answers the messages of a stream, of so many bytes each at most.
fn talk(
    talk: impl Talk + Send + 'static,
    bytes_max: usize,
    (request, caller): (Request<RecvStream>, SendResponse<Bytes>),
    leaving: &CancellationToken,
) {
    begin(stream::answer(talk, request.into_body(), bytes_max, caller, leaving.clone()));
}

/// Looks at what may have to wait; if it has to, it goes on as a task.
fn begin(call: impl Future<Output = ()> + Send + 'static) {
    let mut call = Box::pin(call);
    // As a task it is looked at again, and told whom to wake.
    if call.as_mut().poll(&mut nobody()).is_pending() {
        spawn(call);
    }
}

#[expect(clippy::disallowed_methods, reason = "its connection drains it: that ends after its calls")]
fn spawn(call: impl Future<Output = ()> + Send + 'static) {
    tokio::spawn(call);
}

fn nobody() -> Context<'static> {
    Context::from_waker(Waker::noop())
}
