//! Who reports for a large fleet?

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use pointsman::proto::{
    Endpoint as NodeEndpoint, LoadReport, NodeLoad, NodeSpec, Registration, ReportLoadRequest, RequestType,
    ServedModel, load_service_client::LoadServiceClient, report_load_request::Message,
};
use tokio::{
    sync::mpsc,
    task::JoinSet,
    time::{Instant, interval_at},
};
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::{Channel, Endpoint};

use super::{child::obey, fleet, said::Failure};

/// Nodes whose agents share a connection.
const SHARED: usize = 100;
const INTERVAL: Duration = Duration::from_millis(100);

/// Registers all nodes, then reports for each while it is told to.
pub(crate) async fn run(service: SocketAddr, nodes: usize) -> Result<(), Failure> {
    let reporting = Arc::new(AtomicBool::new(false));
    let mut agents = JoinSet::new();
    let (ready, mut registered) = mpsc::channel(nodes);
    for first in (0..nodes).step_by(SHARED) {
        let channel = Endpoint::from_shared(format!("http://{service}"))?.connect().await?;
        for number in first..first + SHARED {
            let agent = agent(channel.clone(), (number, nodes), Arc::clone(&reporting), ready.clone());
            agents.spawn(async move { agent.await.map_err(|error| error.to_string()) });
        }
    }
    for _ in 0..nodes {
        registered.recv().await.ok_or("an agent has ended")?;
    }
    obey(service, || {
        reporting.fetch_not(Relaxed);
    })
    .await
}

async fn agent(
    channel: Channel,
    (number, nodes): (usize, usize),
    reporting: Arc<AtomicBool>,
    ready: mpsc::Sender<()>,
) -> Result<(), Failure> {
    let (messages, outbound) = mpsc::channel(4);
    let send = |message| ReportLoadRequest { message: Some(message) };
    messages.send(send(Message::Registration(registration(number)))).await?;
    messages.send(send(Message::Report(report(1, number)))).await?;
    let mut replies =
        LoadServiceClient::new(channel).report_load(ReceiverStream::new(outbound)).await?.into_inner();
    for _ in 0..2 {
        replies.message().await?.ok_or("the stream has ended")?;
    }
    ready.send(()).await?;
    // Each at its own time, as agents are that nobody has started together.
    let offset = INTERVAL.mul_f64(number as f64 / nodes as f64);
    let mut ticks = interval_at(Instant::now() + offset, INTERVAL);
    for sequence in 2.. {
        ticks.tick().await;
        if reporting.load(Relaxed) {
            messages.send(send(Message::Report(report(sequence, number)))).await?;
            replies.message().await?.ok_or("the stream has ended")?;
        }
    }
    Ok(())
}

fn registration(number: usize) -> Registration {
    let endpoint =
        NodeEndpoint { request_type: RequestType::Text.into(), uri: format!("http://node-{number}:8000") };
    let model = ServedModel { name: fleet::model(0), ..ServedModel::default() };
    let spec = NodeSpec {
        node_id: format!("node-{number:05}"),
        endpoints: vec![endpoint],
        models: vec![model],
        ..NodeSpec::default()
    };
    Registration { spec: Some(spec), unattended: false }
}

/// Differs from report to report, as those of engines do.
fn report(sequence: i64, number: usize) -> LoadReport {
    let step = (sequence * 7 + i64::try_from(number).unwrap_or_default() * 13) % 32;
    let load = NodeLoad {
        running_request_count: Some(step),
        waiting_request_count: Some(step % 4),
        decoding_request_count: Some(step),
        kv_capacity_tokens: Some(1 << 18),
        kv_active_tokens: Some(step * 1000),
        queued_prompt_tokens: Some(step * 100),
        work_per_ms: Some(15.0),
        ..NodeLoad::default()
    };
    LoadReport { sequence, load: Some(load), kv_events: None }
}
