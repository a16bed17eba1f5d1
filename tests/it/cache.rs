//! From a model server's events to a decision: a socket that publishes as vLLM does, the agent, and the service.
#![expect(clippy::disallowed_methods, reason = "the parts of a test end with its runtime")]

use std::time::Duration;

use axum::{Router, routing::get};
use pointsman::{
    agent,
    config::{AgentConfig, CacheEvents, EngineConfig, EventSocket, preset::Preset},
    domain::{
        id::{ModelName, NodeId, TenantId},
        node::{NodeSpec, RequestType},
        policy::Policy,
    },
    proto::{ExplainPickRequest, PickNodeRequest},
};
use rmpv::Value;
use tokio::{
    net::TcpListener,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;
use zeromq::{PubSocket, Socket, SocketSend, ZmqMessage};

use crate::{
    prefix,
    service::{DEADLINE, route, routing, start, text},
};

const PAGE: &str = "vllm:num_requests_running 0\nvllm:num_requests_waiting 0\nvllm:kv_cache_usage_perc 0.0\n\
    vllm:cache_config_info{block_size=\"16\",num_gpu_blocks=\"25000\"} 1\n";

async fn page() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let router = Router::new().route("/metrics", get(|| async { PAGE }));
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}/metrics")
}

fn config(service: String, metrics_url: String, endpoint: String) -> AgentConfig {
    let id = NodeId::parse("n1").expect("a good id");
    let node =
        NodeSpec { endpoints: [(RequestType::Text, "http://n1:8000".into())].into(), ..NodeSpec::of(id) };
    let kv_events = CacheEvents {
        socket: EventSocket::Connect(endpoint),
        topic: "kv".into(),
        tenant: TenantId::parse("default").expect("a good name"),
        model: ModelName::parse("m").expect("a good name"),
    };
    let mapping = Preset::Vllm.mapping();
    let engine =
        EngineConfig { metrics_url, timeout: Duration::from_secs(1), mapping, kv_events: Some(kv_events) };
    AgentConfig {
        host: false,
        sample_interval: Duration::from_millis(20),
        engine: Some(engine),
        ..AgentConfig::of(node, service)
    }
}

fn list(numbers: impl IntoIterator<Item = u64>) -> Value {
    Value::Array(numbers.into_iter().map(Value::from).collect())
}

fn map(fields: &[(&str, Value)]) -> Value {
    Value::Map(fields.iter().map(|(name, value)| ((*name).into(), value.clone())).collect())
}

/// A prompt of 1024 tokens in blocks of 16, the last of which ends four of the service's.
fn stored(tokens: &[u32]) -> Value {
    map(&[
        ("type", "BlockStored".into()),
        ("block_hashes", list(0..tokens.len() as u64 / 16)),
        ("parent_block_hash", Value::Nil),
        ("token_ids", list(tokens.iter().copied().map(u64::from))),
        ("block_size", 16.into()),
        ("medium", "GPU".into()),
    ])
}

fn removed(blocks: std::ops::Range<u64>) -> Value {
    map(&[("type", "BlockRemoved".into()), ("block_hashes", list(blocks))])
}

/// As releases send it that have no arrays any more.
fn message(sequence: u64, event: Value) -> ZmqMessage {
    let batch = map(&[("ts", Value::F64(1.0)), ("events", Value::Array(vec![event]))]);
    let mut payload = Vec::new();
    rmpv::encode::write_value(&mut payload, &batch).expect("memory takes all");
    let mut message = ZmqMessage::from("kv");
    message.push_back(sequence.to_be_bytes().to_vec().into());
    message.push_back(payload.into());
    message
}

#[tokio::test]
async fn what_an_engine_publishes_is_what_a_decision_expects() {
    let running = start(Policy::default()).await;
    let mut engine = PubSocket::new();
    let endpoint = engine.bind("tcp://127.0.0.1:0").await.expect("a free port").to_string();
    let end = CancellationToken::new();
    let config = config(format!("http://{}", running.address()), page().await, endpoint);
    let agent = tokio::spawn(agent::run(config, end.clone().cancelled_owned()));
    let tokens: Vec<u32> = (0..1024).collect();
    let pick = PickNodeRequest {
        prompt_tokens: Some(1100),
        prefix_blocks: prefix::of_tokens(("default", "m", ""), &tokens, 256),
        ..text("r")
    };
    let mut client = routing(&running).await;
    let mut sequence = 0..;
    for (event, expected) in [(stored(&tokens), 1024), (removed(40..64), 512)] {
        // Nobody knows when the subscription has arrived: it is published until it is heard.
        let heard = timeout(DEADLINE, async {
            loop {
                let number = sequence.next().expect("it does not end");
                engine.send(message(number, event.clone())).await.expect("it is sent");
                sleep(Duration::from_millis(20)).await;
                let asked = ExplainPickRequest { pick: Some(pick.clone()) };
                let Ok(explained) = client.explain_pick(asked).await else { continue };
                let decision = explained.into_inner().decision.filter(|decision| {
                    matches!(decision.outcome, Some(pointsman::proto::pick_node_response::Outcome::Route(_)))
                });
                if decision.is_some_and(|decision| route(decision).expected_cached_tokens == Some(expected)) {
                    return;
                }
            }
        });
        heard.await.expect("in time");
    }
    end.cancel();
    assert!(timeout(DEADLINE, agent).await.expect("in time").expect("no panic").is_ok());
}
