//! A real service on a free port, and clients for it.

use std::{net::SocketAddr, time::Duration};

use pointsman::{
    app::{self, Running},
    config::{Config, LogConfig, ServerConfig},
    domain::policy::Policy,
    proto::{
        self, LoadReport, NodeLoad, PickNodeRequest, PickNodeResponse, Registration, ReportLoadRequest,
        ReportLoadResponse, Route, load_service_client::LoadServiceClient,
        node_service_client::NodeServiceClient, pick_node_response::Outcome, report_load_request::Message,
        routing_service_client::RoutingServiceClient,
    },
};
use tokio::{sync::mpsc, time::timeout};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Status, Streaming, transport::Channel};

/// Longer than anything in these tests may take; reaching it is a failure.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

pub(crate) async fn start(policy: Policy) -> Running {
    start_with(policy, ServerConfig { drain_delay: Duration::from_millis(200), ..ServerConfig::default() })
        .await
}

pub(crate) async fn start_with(policy: Policy, server: ServerConfig) -> Running {
    let server = ServerConfig { listen: SocketAddr::from(([127, 0, 0, 1], 0)), ..server };
    let config = Config { policy, nodes: Vec::new(), server, log: LogConfig::default(), agent: None };
    app::start(config).await.expect("the service starts")
}

pub(crate) async fn channel(address: SocketAddr) -> Channel {
    let endpoint = Channel::from_shared(format!("http://{address}")).expect("a good address");
    endpoint.connect().await.expect("the service listens")
}

pub(crate) async fn routing(running: &Running) -> RoutingServiceClient<Channel> {
    RoutingServiceClient::new(channel(running.address()).await)
}

pub(crate) async fn nodes(running: &Running) -> NodeServiceClient<Channel> {
    NodeServiceClient::new(channel(running.address()).await)
}

/// An agent's side of a `ReportLoad` stream. Dropping it breaks the stream off.
pub(crate) struct Agent {
    messages: mpsc::Sender<ReportLoadRequest>,
    replies: Streaming<ReportLoadResponse>,
}

impl Agent {
    pub(crate) async fn connect(running: &Running) -> Self {
        let (messages, outbound) = mpsc::channel(16);
        let mut client = LoadServiceClient::new(channel(running.address()).await);
        let replies = client.report_load(ReceiverStream::new(outbound)).await.expect("the stream opens");
        Self { messages, replies: replies.into_inner() }
    }

    /// Registers a text node of class normal, and reports that it idles.
    pub(crate) async fn of_idle_node(running: &Running, id: &str) -> Self {
        let mut agent = Self::connect(running).await;
        agent.register(spec(id)).await.expect("the node is registered");
        agent.report(1, idle()).await.expect("the report is taken");
        agent
    }

    pub(crate) async fn say(&mut self, message: Message) -> Result<ReportLoadResponse, Status> {
        self.messages.send(ReportLoadRequest { message: Some(message) }).await.expect("the stream is open");
        self.hear().await.map(|reply| reply.expect("the stream goes on"))
    }

    pub(crate) async fn hear(&mut self) -> Result<Option<ReportLoadResponse>, Status> {
        timeout(DEADLINE, self.replies.message()).await.expect("a reply in time")
    }

    pub(crate) async fn register(&mut self, spec: proto::NodeSpec) -> Result<ReportLoadResponse, Status> {
        self.say(Message::Registration(Registration { spec: Some(spec), unattended: false })).await
    }

    pub(crate) async fn report(
        &mut self,
        sequence: i64,
        load: NodeLoad,
    ) -> Result<ReportLoadResponse, Status> {
        self.say(Message::Report(LoadReport { sequence, load: Some(load), kv_events: None })).await
    }
}

pub(crate) fn spec(id: &str) -> proto::NodeSpec {
    let text =
        proto::Endpoint { request_type: proto::RequestType::Text.into(), uri: format!("http://{id}:8000") };
    proto::NodeSpec { node_id: id.into(), endpoints: vec![text], ..proto::NodeSpec::default() }
}

pub(crate) fn idle() -> NodeLoad {
    NodeLoad {
        cpu_utilization: Some(0.0),
        memory_utilization: Some(0.0),
        waiting_request_count: Some(0),
        ..NodeLoad::default()
    }
}

pub(crate) fn text(request_id: &str) -> PickNodeRequest {
    PickNodeRequest {
        request_id: request_id.into(),
        request_type: proto::RequestType::Text.into(),
        model: "m".into(),
        ..PickNodeRequest::default()
    }
}

pub(crate) fn route(response: PickNodeResponse) -> Route {
    match response.outcome {
        Some(Outcome::Route(route)) => route,
        other => panic!("no route but {other:?}"),
    }
}

pub(crate) fn rejection(response: PickNodeResponse) -> proto::Rejection {
    match response.outcome {
        Some(Outcome::Rejection(rejection)) => rejection,
        other => panic!("no rejection but {other:?}"),
    }
}
