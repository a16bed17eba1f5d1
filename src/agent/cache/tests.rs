//! The parts together: a real socket, messages as vLLM sends them, and what the reports carry.

use rmpv::Value;
use tokio::time::{Duration, sleep, timeout};
use zeromq::{PubSocket, Socket, SocketSend, ZmqMessage};

use super::{
    decode::Stored,
    mirror::tests::{config, hashes, stored},
    *,
};
use crate::config::EventSocket;

const DEADLINE: Duration = Duration::from_secs(20);

fn tokens() -> Vec<u32> {
    (0..32).collect()
}

fn batch(sequence: u64, events: Vec<Event>) -> Batch {
    Batch { sequence, events }
}

fn blocks(size: i32) -> Option<NonZeroU32> {
    NonZeroU32::new(size.unsigned_abs())
}

/// A cache that listens to nobody.
fn cache() -> Cache {
    let mut cache = Cache::follow(&config());
    cache.begin(blocks(16));
    assert_eq!(cache.events(1), None, "the engine may have been there before");
    cache
}

/// A cache of so many blocks, each of a prompt of its own, of which nothing has been told.
pub(in crate::agent) fn holding(blocks: u32) -> Cache {
    let mut cache = cache();
    cache.take_in(batch(1, (0..blocks).map(|first| Event::Stored(stored(&[first; 16], 16, 0))).collect()));
    cache
}

fn told(cache: &mut Cache, report: i64) -> Vec<u64> {
    let events = cache.journal.events(report).unwrap_or_default();
    events.changes.into_iter().flat_map(|change| change.stored).flat_map(|run| run.blocks).collect()
}

fn all() -> Event {
    Event::Stored(stored(&tokens(), 4, 0))
}

#[tokio::test]
async fn a_gap_or_a_new_start_of_the_engine_empties_it() {
    for next in [6, 4, 0] {
        let mut cache = cache();
        cache.take_in(batch(4, vec![all()]));
        assert_eq!(told(&mut cache, 2).len(), 2);
        cache.applied(2, blocks(16));
        cache.take_in(batch(5, Vec::new()));
        assert_eq!(cache.journal.events(3), None, "nothing has happened");
        cache.take_in(batch(if next == 6 { 7 } else { next }, Vec::new()));
        assert!(cache.journal.events(3).expect("it is told").cleared, "{next}");
    }
}

#[tokio::test]
async fn an_engine_that_says_so_or_is_lost_has_nothing() {
    let mut cleared = cache();
    cleared.take_in(batch(1, vec![all(), Event::Cleared]));
    let events = cleared.journal.events(2).expect("it is told");
    assert!(events.cleared && events.changes.is_empty());
    let mut lost = cache();
    lost.take_in(batch(1, vec![all()]));
    lost.lose();
    lost.take_in(batch(0, vec![all()]));
    assert_eq!(told(&mut lost, 2).len(), 2, "a new engine begins at 0");
}

#[tokio::test]
async fn a_service_that_cuts_prompts_otherwise_is_told_otherwise() {
    let mut cache = cache();
    cache.take_in(batch(1, vec![all()]));
    cache.applied(1, blocks(8));
    assert!(cache.journal.events(2).expect("it is told").cleared);
    cache.applied(2, blocks(8));
    cache.take_in(batch(2, vec![all()]));
    assert_eq!(told(&mut cache, 3), hashes(("default", "m", ""), &tokens(), 8));
}

#[tokio::test]
async fn a_service_that_refuses_events_gets_loads_alone() {
    let mut cache = cache();
    cache.take_in(batch(1, vec![all()]));
    assert!(cache.events(2).is_some());
    let bad = |field: &str| proto::FieldViolation { field: field.into(), description: String::new() };
    cache.dropped(&[bad("report.load.cpu_utilization")]);
    assert!(cache.events(3).is_some(), "it is told again");
    cache.dropped(&[bad("report.kv_events.changes[0].model")]);
    assert_eq!(cache.events(4), None);
}

fn message(sequence: u64, Stored { blocks, tokens, .. }: &Stored) -> ZmqMessage {
    let name = |block: &decode::EngineBlock| match block {
        decode::EngineBlock::Bytes(bytes) => Value::Binary(bytes.to_vec()),
        decode::EngineBlock::Number(number) => Value::from(*number),
    };
    let event = Value::Map(vec![
        ("type".into(), "BlockStored".into()),
        ("block_hashes".into(), Value::Array(blocks.iter().map(name).collect())),
        ("parent_block_hash".into(), Value::Nil),
        ("token_ids".into(), Value::Array(tokens.iter().map(|token| Value::from(*token)).collect())),
        ("block_size".into(), 4.into()),
    ]);
    let mut payload = Vec::new();
    let value = Value::Array(vec![Value::F64(0.0), Value::Array(vec![event])]);
    rmpv::encode::write_value(&mut payload, &value).expect("memory takes all");
    let mut message = ZmqMessage::from("kv");
    message.push_back(sequence.to_be_bytes().to_vec().into());
    message.push_back(payload.into());
    message
}

/// Publishes a prompt until the cache tells of it: nobody knows when the subscription has arrived.
async fn publish(engine: &mut PubSocket, cache: &mut Cache) -> Vec<u64> {
    let stored = stored(&tokens(), 4, 0);
    let heard = timeout(DEADLINE, async {
        for sequence in 0.. {
            engine.send(message(sequence, &stored)).await.expect("it is sent");
            engine.send("no message".into()).await.expect("it is sent");
            sleep(Duration::from_millis(5)).await;
            let events = cache.events(1).filter(|events| !events.changes.is_empty());
            cache.dropped(&[]);
            if let Some(events) = events {
                return events.changes[0].stored[0].blocks.clone();
            }
        }
        unreachable!("it sends for ever")
    });
    heard.await.expect("in time")
}

/// Waits until the cache tells that nothing is left.
async fn forget(cache: &mut Cache) {
    let forgotten = timeout(DEADLINE, async {
        while !cache.events(1).is_some_and(|events| events.cleared && events.changes.is_empty()) {
            cache.dropped(&[]);
            sleep(Duration::from_millis(5)).await;
        }
        cache.dropped(&[]);
    });
    forgotten.await.expect("in time");
}

fn listening(socket: EventSocket) -> Cache {
    let mut cache = Cache::follow(&CacheEvents { socket, ..config() });
    cache.begin(blocks(16));
    cache
}

/// Binds where another may just have ended.
async fn bind(endpoint: &str) -> PubSocket {
    let mut engine = PubSocket::new();
    let bound = timeout(DEADLINE, async {
        while engine.bind(endpoint).await.is_err() {
            sleep(Duration::from_millis(5)).await;
        }
    });
    bound.await.expect("in time");
    engine
}

#[tokio::test]
async fn what_an_engine_publishes_comes_in_until_it_is_gone() {
    let directory = tempfile::tempdir().expect("a directory");
    let endpoint = format!("ipc://{}", directory.path().join("events").display());
    let mut engine = bind(&endpoint).await;
    let mut cache = listening(EventSocket::Connect(endpoint.clone()));
    let ours = hashes(("default", "m", ""), &tokens(), 16);
    assert_eq!(publish(&mut engine, &mut cache).await, ours);
    drop(engine);
    forget(&mut cache).await;
    let mut engine = bind(&endpoint).await;
    assert_eq!(publish(&mut engine, &mut cache).await, ours);
}

#[tokio::test]
async fn an_engine_that_hung_holds_what_it_held() {
    let mut engine = PubSocket::new();
    let endpoint = engine.bind("tcp://127.0.0.1:0").await.expect("a free port").to_string();
    let mut cache = listening(EventSocket::Connect(endpoint));
    let held = publish(&mut engine, &mut cache).await;
    cache.listen_anew();
    cache.begin(None);
    assert_eq!(told(&mut cache, 2), held);
    cache.journal.clear();
    cache.journal.events(3);
    cache.journal.told(3);
    assert_eq!(publish(&mut engine, &mut cache).await, held, "the new connection is heard");
}

/// vLLM connects where its endpoint names a host.
#[tokio::test]
async fn an_engine_that_connects_is_heard_too() {
    let directory = tempfile::tempdir().expect("a directory");
    let endpoint = format!("ipc://{}", directory.path().join("events").display());
    let mut cache = listening(EventSocket::Bind(endpoint.clone()));
    let ours = hashes(("default", "m", ""), &tokens(), 16);
    for _ in 0..2 {
        let mut engine = PubSocket::new();
        timeout(DEADLINE, async {
            while engine.connect(&endpoint).await.is_err() {
                sleep(Duration::from_millis(5)).await;
            }
        })
        .await
        .expect("it listens in time");
        assert_eq!(publish(&mut engine, &mut cache).await, ours);
        drop(engine);
        forget(&mut cache).await;
    }
}
