//! The gRPC server: services, bounds, and how it stops without losing a pick.

pub mod answers;
pub mod convert;
pub mod desk;
pub mod health;
pub mod limits;
pub mod listener;
pub mod loads;
pub mod nodes;
pub mod queue;
pub mod routing;
pub mod status;

use std::sync::Arc;

use tokio::{
    net::TcpListener,
    sync::Semaphore,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;
use tonic::transport::{Server, server::Router};
use tonic_health::server::HealthReporter;
use tracing::{info, warn};

use crate::{
    config::ServerConfig,
    proto::{
        FILE_DESCRIPTOR_SET, answer_service_server::AnswerServiceServer,
        limit_service_server::LimitServiceServer, load_service_server::LoadServiceServer,
        node_service_server::NodeServiceServer, routing_service_server::RoutingServiceServer,
    },
};
use answers::Answers;
use desk::Desk;
use limits::Limits;
use loads::Loads;
use nodes::Nodes;
use routing::Routing;

/// What every thread that serves shares.
#[derive(Debug, Clone)]
pub struct Serving {
    /// Where picks are decided.
    pub desk: Arc<Desk>,
    /// Bounds.
    pub config: ServerConfig,
    /// Tells the names that this thread makes up from those of others.
    pub seed: u64,
    /// Begins the stop.
    pub stop: CancellationToken,
    /// One for each connection that may be open.
    pub places: Arc<Semaphore>,
}

impl Serving {
    /// Nothing is served yet.
    pub fn new(desk: Arc<Desk>, config: ServerConfig, seed: u64, stop: CancellationToken) -> Self {
        let places = Arc::new(Semaphore::new(config.connections_max.min(Semaphore::MAX_PERMITS)));
        Self { desk, config, seed, stop, places }
    }
}

/// Serves until `stop` is cancelled and everything in progress is done, or has had its time.
///
/// The stop has three steps. Health turns `NOT_SERVING` while picks are answered as before, so that gateways that watch
/// leave by themselves. After `drain_delay` the streams are ended, every connection is told to go away, and what is in
/// progress finishes. After `drain_grace` what is left is cut off.
pub async fn serve(listener: TcpListener, serving: Serving) -> Result<(), tonic::transport::Error> {
    let Serving { desk, config, seed, stop, places } = serving;
    let (mut reporter, health) = tonic_health::server::health_reporter();
    health::alive(&reporter).await;
    let leaving = CancellationToken::new();
    let router = router(&desk, &config, seed, &leaving).add_service(health);
    let connections = listener::accept(listener, places, config.preface_timeout);
    let server = router.serve_with_incoming_shutdown(connections, leaving.clone().cancelled_owned());
    health::ready(&reporter).await;

    let mut server = std::pin::pin!(server);
    tokio::select! {
        ended = &mut server => return ended,
        () = drain(&mut reporter, &config, stop, &leaving) => {}
    }
    if let Ok(ended) = timeout(config.drain_grace, server).await {
        return ended;
    }
    warn!("stopped with connections still open after `server.drain_grace`");
    Ok(())
}

async fn drain(
    reporter: &mut HealthReporter,
    config: &ServerConfig,
    stop: CancellationToken,
    leaving: &CancellationToken,
) {
    stop.cancelled().await;
    info!("draining: health says NOT_SERVING, picks are still answered");
    health::leaving(reporter).await;
    sleep(config.drain_delay).await;
    info!("leaving: streams end, connections are told to go away");
    health::end(reporter).await;
    leaving.cancel();
}

fn router(desk: &Arc<Desk>, config: &ServerConfig, seed: u64, leaving: &CancellationToken) -> Router {
    let bytes_max = config.message_bytes_max;
    let routing = Routing::new(Arc::clone(desk), leaving.clone(), seed);
    let loads = Loads::new(Arc::clone(desk), leaving.clone());
    let nodes = Nodes::new(Arc::clone(desk));
    let answers = Answers::new(Arc::clone(desk));
    let limits = Limits::new(Arc::clone(desk));
    let reflection = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(FILE_DESCRIPTOR_SET)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
    };
    Server::builder()
        .max_concurrent_streams(config.streams_max)
        .http2_keepalive_interval(Some(config.keepalive_interval))
        .http2_keepalive_timeout(Some(config.keepalive_timeout))
        .add_service(RoutingServiceServer::new(routing).max_decoding_message_size(bytes_max))
        .add_service(LoadServiceServer::new(loads).max_decoding_message_size(bytes_max))
        .add_service(NodeServiceServer::new(nodes).max_decoding_message_size(bytes_max))
        .add_service(AnswerServiceServer::new(answers).max_decoding_message_size(bytes_max))
        .add_service(LimitServiceServer::new(limits).max_decoding_message_size(bytes_max))
        .add_service(reflection().build_v1().expect("our own descriptors are well-formed"))
        .add_service(reflection().build_v1alpha().expect("our own descriptors are well-formed"))
}
