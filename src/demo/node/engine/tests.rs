use parking_lot::Mutex;
use tokio::time::Instant;

use super::*;

fn pace(slots: u32, crowding: f64) -> Pace {
    Pace {
        slots,
        prefill: Duration::from_millis(1),
        decode: Duration::from_millis(10),
        crowding,
        image: Duration::from_millis(400),
        speech: Duration::from_millis(20),
        cache_tokens: 1000,
    }
}

/// Serves so many equal requests at once and says how long all of them took.
async fn serve(engine: &Arc<Engine>, requests: usize) -> Duration {
    let begin = Instant::now();
    let one = |engine: Arc<Engine>| async move {
        let slot = engine.enter(10).await;
        slot.decode(10).await;
    };
    futures_util::future::join_all((0..requests).map(|_| one(Arc::clone(engine)))).await;
    begin.elapsed()
}

#[tokio::test(start_paused = true)]
async fn prefill_takes_time_in_proportion_to_the_prompt() {
    let engine = Engine::new(pace(4, 0.0));
    let slot = engine.enter(0).await;
    let begin = Instant::now();
    slot.prefill(300).await;
    assert_eq!(begin.elapsed(), Duration::from_millis(300));
}

#[tokio::test(start_paused = true)]
async fn more_requests_than_slots_take_turns() {
    assert_eq!(serve(&Engine::new(pace(2, 0.0)), 2).await, Duration::from_millis(100));
    assert_eq!(serve(&Engine::new(pace(2, 0.0)), 6).await, Duration::from_millis(300));
}

#[tokio::test(start_paused = true)]
async fn a_full_batch_makes_tokens_slower_than_a_lone_request() {
    let engine = Engine::new(pace(3, 0.5));
    assert_eq!(serve(&engine, 1).await, Duration::from_millis(100));
    assert_eq!(serve(&engine, 3).await, Duration::from_millis(200));
}

#[tokio::test(start_paused = true)]
async fn the_queue_is_served_in_order_of_arrival() {
    let engine = Engine::new(pace(1, 0.0));
    let order = Mutex::new(Vec::new());
    let one = |place: usize| {
        let (engine, order) = (Arc::clone(&engine), &order);
        async move {
            let slot = engine.enter(0).await;
            slot.draw().await;
            order.lock().push(place);
        }
    };
    futures_util::future::join_all((0..5).map(one)).await;
    assert_eq!(order.into_inner(), [0, 1, 2, 3, 4]);
}

#[tokio::test(start_paused = true)]
async fn gauges_tell_running_waiting_and_the_shares() {
    let engine = Engine::new(pace(4, 0.0));
    let slots = [engine.enter(100).await, engine.enter(150).await];
    let expected = Gauges { running: 2, waiting: 0, busy: 0.5, cache: 0.25 };
    assert_eq!(engine.gauges(), expected);
    drop(slots);
    assert_eq!(engine.gauges(), Gauges { running: 0, waiting: 0, busy: 0.0, cache: 0.0 });
}

#[tokio::test(start_paused = true)]
async fn a_caller_who_leaves_the_queue_is_no_longer_counted() {
    let engine = Engine::new(pace(1, 0.0));
    let _running = engine.enter(0).await;
    let queued = tokio::time::timeout(Duration::from_millis(5), engine.enter(0));
    let (gone, gauges) = tokio::join!(queued, async { engine.gauges() });
    assert!(gone.is_err());
    assert_eq!(gauges.waiting, 1);
    assert_eq!(engine.gauges().waiting, 0);
}

#[test]
fn a_slowed_node_keeps_its_slots_and_takes_longer_for_everything() {
    let slow = pace(4, 0.1).slowed(3.0);
    assert_eq!(slow.slots, 4);
    assert_eq!(slow.prefill, Duration::from_millis(3));
    assert_eq!(slow.decode, Duration::from_millis(30));
    assert_eq!(slow.image, Duration::from_millis(1200));
    assert_eq!(slow.speech, Duration::from_millis(60));
}
