use super::*;
use crate::domain::{id::ModelName, node::RequestType};

fn pool(model: &str, rung: Rung, load: f64) -> Pool {
    let model = ModelName::parse(model).expect("a good name");
    Pool { key: PoolKey { request_type: RequestType::Text, model }, load, demand: load, nodes: 1, rung }
}

#[test]
fn each_change_is_told_once_and_a_pool_that_is_well_takes_no_memory() {
    let table = PoolTable::default();
    let at = |ms| Instant::after_start(Duration::from_millis(ms));
    let told = [Rung::Normal, Rung::Busy, Rung::Busy, Rung::Overloaded, Rung::Normal, Rung::Normal]
        .map(|rung| table.observe(&pool("m", rung, 80.0), Fate::Taken, at(0)));
    assert_eq!(told, [None, Some(Rung::Busy), None, Some(Rung::Overloaded), Some(Rung::Normal), None]);
    assert!(table.get(&pool("m", Rung::Normal, 0.0).key).is_none());
    assert!(table.busy.is_empty());
}

#[test]
fn memory_is_bounded_and_pools_that_nobody_asks_for_are_forgotten() {
    let table = PoolTable::default();
    for i in 0..=POOLS_MAX {
        table.observe(&pool(&format!("m{i}"), Rung::Busy, 80.0), Fate::Taken, Instant::ZERO);
    }
    assert_eq!(table.busy.len(), POOLS_MAX);
    table.sweep(Instant::after_start(FORGET_AFTER));
    assert!(table.busy.is_empty());
}

#[test]
fn what_a_pool_turns_away_counts_for_its_demand_until_a_second_has_passed() {
    let table = PoolTable::default();
    let busy = pool("m", Rung::Busy, 60.0);
    let at = |ms| Instant::after_start(Duration::from_millis(ms));
    for i in 0..100 {
        let fate = if i % 4 == 0 { Fate::TurnedAway } else { Fate::Taken };
        table.observe(&busy, fate, at(1000 + i));
    }
    let demand = |ms| table.get(&busy.key).expect("it is busy").demand(60.0, at(ms));
    assert_eq!(demand(1100).round(), 80.0);
    assert_eq!(demand(2300), 60.0);
    for i in 0..100 {
        table.observe(&busy, Fate::TurnedAway, at(5000 + i));
    }
    assert!((demand(5100) - 600.0).abs() < 1.0, "at most a tenth is taken to be all");
}
