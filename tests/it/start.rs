//! How the service starts, on the runtimes that it can serve on.

use std::collections::BTreeSet;

use pointsman::{
    app::{self, AppError},
    config::{Config, Runtime, ServerConfig},
    domain::policy::Policy,
    proto::{
        ListNodesRequest, PickNodeRequest, RegisterNodeRequest, routing_service_client::RoutingServiceClient,
    },
};
use tokio::{net::TcpStream, time::timeout};

use crate::service::{DEADLINE, channel, nodes, spec, start_with, text};

fn on(runtime: Runtime) -> ServerConfig {
    ServerConfig { runtime, threads: 3, ..ServerConfig::default() }
}

/// Sockets of several threads share an address; two services must not.
#[tokio::test]
async fn an_address_that_is_taken_is_refused() {
    for (first, second) in [
        (Runtime::PerCore, Runtime::PerCore),
        (Runtime::Shared, Runtime::PerCore),
        (Runtime::PerCore, Runtime::Shared),
    ] {
        let running = start_with(Policy::default(), on(first)).await;
        let server = ServerConfig { listen: running.address(), ..on(second) };
        let refused = app::start(Config { server, ..Config::default() }).await;
        assert!(matches!(refused, Err(AppError::Listen { address, .. }) if address == running.address()));
    }
}

/// Each thread decides by the same state, and makes up names of its own.
#[tokio::test]
async fn connections_of_all_threads_see_one_service() {
    for runtime in [Runtime::PerCore, Runtime::Shared] {
        let running = start_with(Policy::default(), on(runtime)).await;
        let registered = RegisterNodeRequest { spec: Some(spec("n1")) };
        nodes(&running).await.register_node(registered).await.expect("it is taken");
        let mut names = BTreeSet::new();
        for _ in 0..24 {
            let mut client = RoutingServiceClient::new(channel(running.address()).await);
            for _ in 0..2 {
                let nameless = PickNodeRequest { request_id: String::new(), ..text("") };
                let answer = client.pick_node(nameless).await.expect("it answers").into_inner();
                assert!(names.insert(answer.request_id), "a name came twice");
            }
        }
        assert_eq!(running.desk().state.leases.live(), 48);
    }
}

/// The bound on connections is one for all threads.
#[tokio::test]
async fn connections_are_counted_over_all_threads() {
    let config = ServerConfig { connections_max: 2, ..on(Runtime::PerCore) };
    let running = start_with(Policy::default(), config).await;
    let mut open = [nodes(&running).await, nodes(&running).await];
    for client in &mut open {
        // Only who has had an answer is known to have been let in.
        client.list_nodes(ListNodesRequest::default()).await.expect("it answers");
    }
    for _ in 0..12 {
        let more = TcpStream::connect(running.address()).await.expect("the system takes it");
        let mut byte = [0];
        // Closed, or reset: nothing is ever said on it.
        let closed = async { more.readable().await.is_err() || !matches!(more.try_read(&mut byte), Ok(1..)) };
        assert!(timeout(DEADLINE, closed).await.expect("in time"));
    }
}
