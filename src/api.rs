//! The gRPC server: services, bounds, and how it stops without losing a pick.

pub mod answers;
mod caller;
pub mod connection;
pub mod convert;
mod deadline;
pub mod desk;
mod dispatch;
pub mod health;
mod lane;
pub mod limits;
pub mod listener;
pub mod loads;
mod message;
pub mod nodes;
pub mod queue;
mod routed;
pub mod routing;
mod scratch;
pub mod status;
mod stream;
mod unary;

use std::sync::Arc;

use tokio::{
    net::TcpListener,
    time::{sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tonic::service::Routes;
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
use connection::Terms;
use desk::Desk;
use dispatch::Dispatch;
use limits::Limits;
use listener::{Gate, Places};
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
    pub places: Places,
}

impl Serving {
    /// Nothing is served yet.
    pub fn new(desk: Arc<Desk>, config: ServerConfig, seed: u64, stop: CancellationToken) -> Self {
        let places = Places::new(config.connections_max);
        Self { desk, config, seed, stop, places }
    }
}

/// Serves until `stop` is cancelled and everything in progress is done, or has had its time.
///
/// The stop has three steps. Health turns `NOT_SERVING` while picks are answered as before, so that gateways that watch
/// leave by themselves. After `drain_delay` the streams are ended, every connection is told to go away, and what is in
/// progress finishes. After `drain_grace` what is left is cut off.
pub async fn serve(listener: TcpListener, serving: Serving) {
    let Serving { desk, config, seed, stop, places } = serving;
    let (mut reporter, health) = tonic_health::server::health_reporter();
    health::alive(&reporter).await;
    let leaving = CancellationToken::new();
    let routing = Routing::new(Arc::clone(&desk), leaving.clone(), seed);
    let routes = routes(&routing, &desk, &config).add_service(health).prepare();
    let dispatch = Arc::new(Dispatch {
        routing,
        routes,
        desk,
        report_bytes_max: config.report_bytes_max,
        pick_bytes_max: config.pick_bytes_max,
        batch_bytes_max: config.batch_bytes_max,
    });
    let connections = Connections {
        gate: Gate::new(listener, places),
        terms: Terms::new(&config),
        dispatch,
        chance: fastrand::Rng::with_seed(seed),
        open: TaskTracker::new(),
    };
    let cut = CancellationToken::new();
    health::ready(&reporter).await;

    let mut served = std::pin::pin!(connections.serve(&leaving, &cut));
    tokio::select! {
        () = &mut served => return,
        () = drain(&mut reporter, &config, stop, &leaving) => {}
    }
    if timeout(config.drain_grace, &mut served).await.is_err() {
        warn!("connections still open after `server.drain_grace` are cut off");
        cut.cancel();
        served.await;
    }
}

/// All connections of one listening socket.
struct Connections {
    gate: Gate,
    terms: Terms,
    dispatch: Arc<Dispatch>,
    chance: fastrand::Rng,
    open: TaskTracker,
}

impl Connections {
    /// Lets connections in until `leaving` is cancelled, then waits for those that are open to end. `cut` ends them then at once.
    async fn serve(mut self, leaving: &CancellationToken, cut: &CancellationToken) {
        while let Some(accepted) = leaving.run_until_cancelled(self.gate.next()).await {
            let (terms, dispatch) = (self.terms.clone(), Arc::clone(&self.dispatch));
            let chance = self.chance.f64();
            self.open.spawn(terms.serve(accepted, dispatch, leaving.child_token(), cut.clone(), chance));
        }
        // Who connects now is refused, and goes elsewhere.
        drop(self.gate);
        self.open.close();
        self.open.wait().await;
    }
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

fn routes(routing: &Routing, desk: &Arc<Desk>, config: &ServerConfig) -> Routes {
    let (report, answer) = (config.report_bytes_max, config.answer_bytes_max);
    let loads = Loads(Arc::clone(desk));
    let nodes = Nodes::new(Arc::clone(desk));
    let answers = Answers::new(Arc::clone(desk));
    let limits = Limits::new(Arc::clone(desk));
    let reflection = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(FILE_DESCRIPTOR_SET)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
    };
    Routes::new(RoutingServiceServer::new(routing.clone()).max_decoding_message_size(config.pick_bytes_max))
        .add_service(LoadServiceServer::new(loads).max_decoding_message_size(report))
        .add_service(NodeServiceServer::new(nodes).max_decoding_message_size(report))
        .add_service(AnswerServiceServer::new(answers).max_decoding_message_size(answer))
        .add_service(LimitServiceServer::new(limits).max_decoding_message_size(report))
        .add_service(reflection().build_v1().expect("our own descriptors are well-formed"))
        .add_service(reflection().build_v1alpha().expect("our own descriptors are well-formed"))
}
