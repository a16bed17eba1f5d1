use std::{
    collections::BTreeMap,
    net::{SocketAddr, TcpListener},
    sync::Arc,
};

use super::*;
use crate::{
    app::{self, Running},
    config::{Config, ServerConfig},
    demo::{
        fleet::plans,
        node::{Node, server},
        workload::Work,
    },
    domain::{
        id::NodeId,
        node::{NodeClass, NodeSpec},
        policy::{Balance, Policy},
    },
};

/// A node of the configuration, which nobody reports for: only outcomes tell whether it lives.
fn configured(id: &str, address: SocketAddr) -> NodeSpec {
    let uri = format!("http://{address}{}", server::CHAT);
    NodeSpec {
        id: NodeId::parse(id).expect("an id"),
        endpoints: BTreeMap::from([(RequestType::Text, Arc::from(uri))]),
        models: Vec::new(),
        class: NodeClass::Normal,
        weight: 1.0,
        labels: BTreeMap::new(),
        queue_capacity: None,
        kv_tokens: None,
    }
}

fn nowhere() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

/// Where nobody listens any more.
fn closed() -> SocketAddr {
    let listener = TcpListener::bind(nowhere()).expect("loopback has a free port");
    listener.local_addr().expect("it is bound")
}

fn live() -> Node {
    Node::start(&plans()[0], nowhere()).expect("loopback has a free port")
}

async fn service(nodes: Vec<NodeSpec>) -> (Running, Gateway) {
    let config = Config {
        policy: Policy { balance: Balance::RoundRobin, ..Policy::default() },
        server: ServerConfig { listen: nowhere(), ..ServerConfig::default() },
        nodes,
        ..Config::default()
    };
    let service = app::start(config).await.expect("it starts");
    let uri = format!("http://{}", service.address());
    let channel = Channel::from_shared(uri).expect("a URI").connect().await.expect("it listens");
    (service, Gateway::new(channel).expect("nothing special is asked of it"))
}

fn arrival(index: usize) -> Arrival {
    let work = Work::Text { prompt_tokens: 2, answer_tokens: 2 };
    Arrival { index, at: Duration::ZERO, tier: Tier::Free, user: "free-1".into(), work }
}

#[tokio::test]
async fn a_request_that_fails_is_sent_to_another_node() {
    let node = live();
    let nodes = vec![configured("dead", closed()), configured("live", node.address)];
    let (_service, gateway) = service(nodes).await;
    let mut served = Vec::new();
    for index in 0..2 {
        served.push(gateway.clone().serve(arrival(index), Instant::now()).await);
    }
    assert!(served.iter().all(|served| served.first_token_latency.is_some()), "{served:#?}");
    let attempts: Vec<_> = served.iter().flat_map(|served| &served.attempts).collect();
    let failed: Vec<_> = attempts.iter().filter(|attempt| !attempt.answered).map(|a| &*a.node).collect();
    assert!(!failed.is_empty(), "in turn, one of two requests goes to the dead node first");
    assert!(failed.iter().all(|node| *node == "dead"), "{failed:?}");
}

#[tokio::test]
async fn a_node_is_not_tried_twice_for_one_request() {
    let nodes = vec![configured("dead-1", closed()), configured("dead-2", closed())];
    let (_service, gateway) = service(nodes).await;
    let served = gateway.serve(arrival(0), Instant::now()).await;
    assert_eq!(served.first_token_latency, None);
    let mut tried: Vec<_> = served.attempts.iter().map(|attempt| &*attempt.node).collect();
    tried.sort_unstable();
    assert_eq!(tried, ["dead-1", "dead-2"]);
}
