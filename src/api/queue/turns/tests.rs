use super::*;
use crate::api::queue::tests::user;

fn turns(joins: &[(u64, u64)]) -> Turns {
    let mut turns = Turns::default();
    for &(who, arrival) in joins {
        turns.join(user(who), Arrival(arrival));
    }
    turns
}

/// Serves everybody; who was served, in order.
fn served(mut turns: Turns, joins: &[(u64, u64)]) -> Vec<u64> {
    let whose = |arrival: Arrival| joins.iter().find(|join| join.1 == arrival.0).expect("it joined").0;
    let serve = || {
        let head = turns.head()?;
        turns.leave(user(whose(head)), head, End::Served);
        Some(head.0)
    };
    std::iter::from_fn(serve).collect()
}

#[test]
fn users_take_turns_and_each_is_served_by_arrival() {
    let joins = [(1, 1), (1, 2), (1, 3), (2, 4), (2, 5), (3, 6)];
    assert_eq!(served(turns(&joins), &joins), [1, 4, 6, 2, 5, 3]);
}

#[test]
fn places_that_give_up_cost_their_user_no_turn() {
    let joins: Vec<_> = (1..=100).map(|arrival| (1, arrival)).chain([(2, 101), (2, 102), (2, 103)]).collect();
    let mut turns = turns(&joins);
    for arrival in 1..=98 {
        turns.leave(user(1), Arrival(arrival), End::Unserved);
    }
    assert_eq!(served(turns, &joins), [99, 101, 100, 102, 103]);
}

#[test]
fn an_older_place_goes_before_the_younger_ones_of_its_user() {
    let joins = [(1, 5), (2, 6), (1, 7), (1, 2)];
    assert_eq!(served(turns(&joins), &joins), [2, 6, 5, 7]);
}

#[test]
fn a_newcomer_has_no_claim_to_the_past() {
    let joins = [(1, 1), (1, 2), (1, 3), (1, 4), (2, 5), (2, 6)];
    let mut turns = turns(&joins[..4]);
    for arrival in [1, 2] {
        turns.leave(user(1), Arrival(arrival), End::Served);
    }
    turns.join(user(2), Arrival(5));
    turns.join(user(2), Arrival(6));
    assert_eq!(served(turns, &joins), [3, 5, 4, 6], "in turns from now on, not both of the newcomer first");
}

#[test]
fn who_comes_back_after_its_turn_takes_turns_with_a_crowd() {
    let mut turns = turns(&[(2, 1), (2, 2), (2, 3), (2, 4), (1, 5)]);
    let mut served = Vec::new();
    for back in 6..=10 {
        let head = turns.head().expect("the crowd is large");
        let who = if head.0 <= 4 { 2 } else { 1 };
        turns.leave(user(who), head, End::Served);
        if who == 1 {
            turns.join(user(1), Arrival(back));
        }
        served.push(who);
    }
    assert_eq!(served, [2, 1, 2, 1, 2]);
}

#[test]
fn users_without_places_are_forgotten() {
    let mut turns = turns(&[]);
    for who in 1..=1000 {
        turns.join(user(who), Arrival(who));
        let end = if who % 2 == 0 { End::Served } else { End::Unserved };
        turns.leave(user(who), Arrival(who), end);
    }
    assert!(turns.is_empty() && turns.order.is_empty());
}
