use super::*;
use crate::domain::{id::ModelName, node::RequestType};

fn at(seconds: u64) -> Instant {
    Instant::after_start(Duration::from_secs(seconds))
}

fn pool(model: &str) -> PoolKey {
    PoolKey { request_type: RequestType::Text, model: ModelName::parse(model).expect("a good name") }
}

fn busy(busy: f64) -> Seen {
    Seen { busy: Some(busy), ..Seen::default() }
}

fn renewed(count: u32, seconds: f64) -> Seen {
    Seen { renewals: Renewals { count, seconds }, ..Seen::default() }
}

#[test]
fn how_busy_a_pool_is_follows_time_and_not_the_number_of_requests() {
    let (few, many) = (Demand::default(), Demand::default());
    few.observe(&pool("m"), busy(0.0), at(100));
    many.observe(&pool("m"), busy(0.0), at(100));
    few.observe(&pool("m"), busy(1.0), at(110));
    for millis in 1..=10_000 {
        many.observe(&pool("m"), busy(1.0), at(100) + Duration::from_millis(millis));
    }
    let expected = 1.0 - (-1.0_f64).exp();
    assert!((few.get(&pool("m")).busy - expected).abs() < 1e-9);
    assert!((many.get(&pool("m")).busy - expected).abs() < 1e-3);
}

#[test]
fn requests_that_say_nothing_of_busyness_take_nothing_from_it() {
    let demand = Demand::default();
    demand.observe(&pool("m"), busy(0.0), at(100));
    for second in 101..=110 {
        demand.observe(&pool("m"), Seen::default(), at(second));
    }
    demand.observe(&pool("m"), busy(1.0), at(110));
    assert!(demand.get(&pool("m")).busy > 0.6);
}

#[test]
fn what_is_first_seen_of_a_pool_is_taken_for_true() {
    let demand = Demand::default();
    demand.observe(&pool("m"), busy(0.8), at(3600));
    assert!((demand.get(&pool("m")).busy - 0.8).abs() < 1e-6);
}

#[test]
fn refusals_are_counted_and_forgotten() {
    let demand = Demand::default();
    let refused = Seen { refused: true, ..Seen::default() };
    for millis in 0..300 {
        demand.observe(&pool("m"), refused, at(1000) + Duration::from_millis(100 * millis));
    }
    assert!(demand.get(&pool("m")).refused > 0.6);
    demand.observe(&pool("m"), Seen::default(), at(1200));
    assert!(demand.get(&pool("m")).refused < 0.01);
}

#[test]
fn pools_are_apart() {
    let demand = Demand::default();
    demand.observe(&pool("a"), Seen { reuse: Some(1.0), ..busy(1.0) }, at(100));
    demand.observe_output(&pool("a"), 3000);
    assert!(demand.get(&pool("a")).reuse > 0.0);
    assert!(demand.get(&pool("a")).output_tokens > 300.0);
    assert_eq!(demand.get(&pool("b")), Figures::default());
}

#[test]
fn pauses_are_those_of_the_blocks_that_came_again() {
    let demand = Demand::default();
    for second in 0..3000 {
        demand.observe(&pool("m"), renewed(4, 20.0), at(second));
    }
    let pause = demand.get(&pool("m")).pause().as_secs_f64();
    assert!((pause - 5.0).abs() < 0.1, "{pause}");
}

#[test]
fn a_pool_where_nothing_ever_comes_again_still_tells_a_pause() {
    let mut figures = Figures::default();
    for _ in 0..1_000_000 {
        figures.observe(Seen::default(), at(1));
    }
    assert_eq!(figures.pause(), Duration::from_mins(1));
}

#[test]
fn a_pause_is_at_most_a_day() {
    let mut figures = Figures::default();
    figures.observe(renewed(1000, 1e12), at(1));
    assert_eq!(figures.pause(), Duration::from_hours(24));
}

#[test]
fn only_so_many_pools_are_learned_of() {
    let demand = Demand::default();
    for number in 0..=POOLS_MAX {
        demand.observe(&pool(&format!("m{number}")), busy(1.0), at(100));
    }
    assert_eq!(demand.pools.len(), POOLS_MAX);
    assert_eq!(demand.get(&pool(&format!("m{POOLS_MAX}"))), Figures::default());
    // Those that are known go on.
    demand.observe(&pool("m0"), busy(0.0), at(1000));
    assert!(demand.get(&pool("m0")).busy < 0.1);
}

#[test]
fn a_pool_that_nobody_asks_for_is_forgotten() {
    let demand = Demand::default();
    demand.observe(&pool("old"), busy(1.0), at(100));
    demand.observe(&pool("new"), busy(1.0), at(3600));
    demand.sweep(at(3700));
    assert_eq!(demand.get(&pool("old")), Figures::default());
    assert!(demand.get(&pool("new")).busy > 0.9);
}
