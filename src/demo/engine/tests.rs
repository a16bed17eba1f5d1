use std::sync::Arc;

use tokio::time::Instant;

use super::*;

/// Seconds that each of several requests of 100 tokens takes, all sent at once.
#[expect(clippy::disallowed_methods, reason = "each task is waited for")]
async fn seconds(engine: Engine, requests: usize) -> Vec<f64> {
    let engine = Arc::new(engine);
    let start = Instant::now();
    let tasks: Vec<_> = (0..requests)
        .map(|_| {
            let engine = engine.clone();
            tokio::spawn(async move {
                let slot = engine.slot().await;
                slot.prefill(800).await;
                for _ in 0..100 {
                    slot.token().await;
                }
                start.elapsed().as_secs_f64()
            })
        })
        .collect();
    let mut seconds = Vec::new();
    for task in tasks {
        seconds.push(task.await.expect("no panic"));
    }
    assert_eq!((engine.running(), engine.waiting()), (0, 0), "nothing is left");
    seconds
}

#[tokio::test(start_paused = true)]
async fn a_lone_request_takes_its_prefill_and_its_tokens() {
    let alone = seconds(Engine::new(1.0, 2), 1).await[0];
    assert!((0.69..0.81).contains(&alone), "0.1 s of prefill and 100 tokens of 6 ms took {alone}");
}

#[tokio::test(start_paused = true)]
async fn a_slow_node_takes_longer() {
    let slow = seconds(Engine::new(0.5, 2), 1).await[0];
    assert!((1.39..1.51).contains(&slow), "{slow}");
}

#[tokio::test(start_paused = true)]
async fn requests_beyond_the_slots_wait_their_turn() {
    let seconds = seconds(Engine::new(1.0, 2), 3).await;
    assert!(seconds[2] > 1.8 * seconds[0], "{seconds:?}");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_hangs_up_leaves_the_queue() {
    let engine = Engine::new(1.0, 1);
    let slot = engine.slot().await;
    assert!(tokio::time::timeout(Duration::from_millis(1), engine.slot()).await.is_err());
    assert_eq!((engine.running(), engine.waiting()), (1, 0));
    drop(slot);
    assert_eq!(engine.running(), 0);
}
