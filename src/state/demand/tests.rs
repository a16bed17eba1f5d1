use super::*;
use crate::domain::{id::ModelName, node::RequestType};

fn pool(model: &str) -> PoolKey {
    PoolKey { request_type: RequestType::Text, model: ModelName::parse(model).expect("a name") }
}

fn at(seconds: u64) -> Instant {
    Instant::from_nanos(seconds * 1_000_000_000)
}

#[test]
fn how_busy_a_pool_is_follows_within_seconds_and_pools_stand_apart() {
    let demand = Demand::default();
    for second in 0..30 {
        demand.observe(&pool("a"), Seen { busy: Some(1.0), ..Seen::default() }, at(second));
    }
    assert!(demand.get(&pool("a")).busy > 0.9);
    assert_eq!(demand.get(&pool("b")), Figures::default());
    demand.observe(&pool("a"), Seen { busy: Some(0.0), ..Seen::default() }, at(60));
    assert!(demand.get(&pool("a")).busy < 0.1, "half a minute of calm");
}

#[test]
fn refusals_that_come_together_count_each() {
    let demand = Demand::default();
    for _ in 0..1000 {
        demand.observe(&pool("a"), Seen { refused: true, ..Seen::default() }, at(1));
    }
    assert!(demand.get(&pool("a")).refused > 0.9);
}

#[test]
fn pauses_and_lengths_are_means_of_what_was_seen() {
    let demand = Demand::default();
    let renewals = Renewals { count: 100, seconds: 3000.0 };
    for second in 0..50 {
        demand.observe(&pool("a"), Seen { renewals, reuse: Some(1.0), ..Seen::default() }, at(second));
        demand.observe_output(&pool("a"), 100);
    }
    let figures = demand.get(&pool("a"));
    assert!((29.0..32.0).contains(&figures.pause().as_secs_f64()), "{:?}", figures.pause());
    assert!((200.0..250.0).contains(&figures.output_tokens) && (0.2..0.25).contains(&figures.reuse));
}

#[test]
fn a_pool_that_nobody_asks_for_is_forgotten() {
    let demand = Demand::default();
    demand.observe(&pool("a"), Seen { busy: Some(1.0), ..Seen::default() }, at(10));
    demand.sweep(at(3000));
    assert_ne!(demand.get(&pool("a")), Figures::default());
    demand.sweep(at(4000));
    assert_eq!(demand.get(&pool("a")), Figures::default());
}
