//! The agent against a service that writes down what it hears, and a metrics page that can come and go.
#![expect(clippy::disallowed_methods, reason = "the parts of a test end with its runtime")]

use std::{
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering::Relaxed},
    },
};

use axum::{Router, http::StatusCode, routing::get};
use futures_util::Stream as Replies;
use tokio::{net::TcpListener, sync::mpsc, task::JoinHandle, time::timeout};
use tokio_stream::wrappers::{ReceiverStream, TcpListenerStream};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, Streaming, transport::Server};

use super::*;
use crate::{
    config::{EngineConfig, preset::Preset},
    domain::{
        id::NodeId,
        node::{NodeSpec, RequestType},
    },
    proto::{
        ReportLoadRequest, ReportLoadResponse, ReportStatus,
        load_service_server::{LoadService, LoadServiceServer},
        report_load_request::Message,
    },
};

const DEADLINE: Duration = Duration::from_secs(20);

/// What the service hears; `None` for the end of a stream.
type Heard = mpsc::UnboundedReceiver<Option<Message>>;

/// A service that says yes to everything, until it is told to break its streams off.
#[derive(Clone)]
struct FakeService {
    heard: mpsc::UnboundedSender<Option<Message>>,
    break_off: Arc<tokio::sync::Notify>,
    interval_millis: u32,
}

#[tonic::async_trait]
impl LoadService for FakeService {
    type ReportLoadStream = Pin<Box<dyn Replies<Item = Result<ReportLoadResponse, Status>> + Send>>;

    async fn report_load(
        &self,
        messages: Request<Streaming<ReportLoadRequest>>,
    ) -> Result<Response<Self::ReportLoadStream>, Status> {
        let (replies, outbound) = mpsc::channel(16);
        let (service, mut messages) = (self.clone(), messages.into_inner());
        tokio::spawn(async move {
            loop {
                let message = tokio::select! {
                    () = service.break_off.notified() => break,
                    message = messages.message() => message,
                };
                let Ok(Some(ReportLoadRequest { message: Some(message) })) = message else { break };
                let status = match &message {
                    Message::Registration(_) => ReportStatus::Registered,
                    Message::Report(_) => ReportStatus::Applied,
                    Message::Farewell(_) => ReportStatus::Removed,
                };
                let _ = service.heard.send(Some(message));
                let pace = Duration::from_millis(service.interval_millis.into());
                let reply = ReportLoadResponse {
                    status: status.into(),
                    report_interval: Some(crate::wire::duration(pace)),
                    ..ReportLoadResponse::default()
                };
                let _ = replies.send(Ok(reply)).await;
            }
            let _ = service.heard.send(None);
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(outbound))))
    }
}

async fn service(interval_millis: u32) -> (SocketAddr, FakeService, Heard) {
    let (heard, hears) = mpsc::unbounded_channel();
    let service = FakeService { heard, break_off: Arc::default(), interval_millis };
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let server = Server::builder().add_service(LoadServiceServer::new(service.clone()));
    tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
    (address, service, hears)
}

/// A metrics page whose numbers and presence the test holds.
#[derive(Clone, Default)]
struct FakeEngine {
    gone: Arc<AtomicBool>,
    asked: Arc<tokio::sync::Notify>,
    waiting: Arc<AtomicU32>,
}

impl FakeEngine {
    async fn start(&self) -> String {
        let engine = self.clone();
        let page = move || async move {
            engine.asked.notify_one();
            if engine.gone.load(Relaxed) {
                return Err(StatusCode::SERVICE_UNAVAILABLE);
            }
            Ok(format!("llamacpp:requests_deferred {}\n", engine.waiting.load(Relaxed)))
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let router = Router::new().route("/metrics", get(page));
        tokio::spawn(async move { axum::serve(listener, router).await });
        format!("http://{address}/metrics")
    }
}

pub(super) fn node() -> NodeSpec {
    let id = NodeId::parse("n1").expect("a good id");
    NodeSpec { endpoints: [(RequestType::Text, "http://n1".into())].into(), ..NodeSpec::of(id) }
}

/// An agent that is asked to end when the token is cancelled.
fn start(
    service: SocketAddr,
    metrics_url: Option<String>,
) -> (CancellationToken, JoinHandle<Result<(), AgentError>>) {
    let mut config = AgentConfig::of(node(), format!("http://{service}"));
    config.host = false;
    config.sample_interval = Duration::from_millis(10);
    config.backoff = Duration::from_millis(10);
    config.engine = metrics_url.map(|metrics_url| EngineConfig {
        metrics_url,
        timeout: Duration::from_secs(1),
        mapping: Preset::LlamaCpp.mapping(),
        kv_events: None,
    });
    let end = CancellationToken::new();
    let agent = tokio::spawn(run(config, end.clone().cancelled_owned()));
    (end, agent)
}

async fn hear(heard: &mut Heard) -> Option<Message> {
    timeout(DEADLINE, heard.recv()).await.expect("something in time").expect("the service lives")
}

async fn hear_registration(heard: &mut Heard) {
    assert!(matches!(hear(heard).await, Some(Message::Registration(r)) if !r.unattended));
}

/// The next report's sequence and queue.
async fn hear_report(heard: &mut Heard) -> (i64, Option<i64>) {
    match hear(heard).await {
        Some(Message::Report(report)) => {
            (report.sequence, report.load.and_then(|load| load.waiting_request_count))
        }
        other => panic!("no report but {other:?}"),
    }
}

#[tokio::test]
async fn it_registers_reports_and_says_farewell() {
    let (address, _service, mut heard) = service(20).await;
    let (end, agent) = start(address, None);
    hear_registration(&mut heard).await;
    for sequence in 1..4 {
        assert_eq!(hear_report(&mut heard).await.0, sequence);
    }
    end.cancel();
    let mut last = hear(&mut heard).await;
    while let Some(Message::Report(_)) = last {
        last = hear(&mut heard).await;
    }
    assert!(matches!(last, Some(Message::Farewell(_))), "it ends with a farewell, not with {last:?}");
    let ended = timeout(DEADLINE, agent).await.expect("in time").expect("no panic");
    assert!(ended.is_ok());
}

#[tokio::test]
async fn a_sharp_change_is_reported_before_its_time() {
    let (address, _service, mut heard) = service(3_600_000).await;
    let engine = FakeEngine::default();
    let (_end, _agent) = start(address, Some(engine.start().await));
    hear_registration(&mut heard).await;
    assert_eq!(hear_report(&mut heard).await, (1, Some(0)));
    engine.waiting.store(9, Relaxed);
    engine.waiting.store(10, Relaxed);
    assert_eq!(hear_report(&mut heard).await, (2, Some(10)), "a tenth of the capacity of 100");
}

#[tokio::test]
async fn a_broken_stream_is_opened_again_and_counts_from_one() {
    let (address, service, mut heard) = service(20).await;
    let (_end, _agent) = start(address, None);
    hear_registration(&mut heard).await;
    assert_eq!(hear_report(&mut heard).await.0, 1);
    service.break_off.notify_one();
    while hear(&mut heard).await.is_some() {}
    hear_registration(&mut heard).await;
    assert_eq!(hear_report(&mut heard).await.0, 1);
}

#[tokio::test]
async fn the_engines_life_is_the_nodes_life() {
    let (address, _service, mut heard) = service(20).await;
    let engine = FakeEngine::default();
    engine.gone.store(true, Relaxed);
    let (_end, _agent) = start(address, Some(engine.start().await));
    for _ in 0..5 {
        timeout(DEADLINE, engine.asked.notified()).await.expect("it goes on asking");
    }
    assert!(heard.try_recv().is_err(), "there is no engine yet");
    engine.gone.store(false, Relaxed);
    hear_registration(&mut heard).await;
    hear_report(&mut heard).await;
    engine.gone.store(true, Relaxed);
    let mut last = hear(&mut heard).await;
    while let Some(message) = last {
        assert!(matches!(message, Message::Report(_)), "it does not say farewell");
        last = hear(&mut heard).await;
    }
    engine.gone.store(false, Relaxed);
    hear_registration(&mut heard).await;
}

#[test]
fn only_what_may_pass_is_tried_again_soon() {
    let mut config = AgentConfig::of(node(), "http://127.0.0.1:1".into());
    config.backoff_max = Duration::from_secs(7);
    let mut backoff = Backoff::new(config.backoff, config.backoff_max, Chance::with_seed(1));
    let mut pause = |ended| pause_after(ended, &config, &mut backoff);
    assert_eq!(pause(Ended::Asked), None);
    assert_eq!(pause(Ended::EngineLost), Some(Duration::ZERO), "readiness is asked of the page");
    assert!(pause(Ended::Broken("gone".into())).is_some_and(|pause| pause <= config.backoff));
    assert_eq!(pause(Ended::Refused("`weight` must be over 0".into())), Some(config.backoff_max));
}
