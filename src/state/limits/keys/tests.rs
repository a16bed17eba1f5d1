use std::num::NonZeroU32;

use super::*;
use crate::domain::{digest::Digester, id::TenantId, limit::Quota};

const ROOM: usize = 1_000_000;

fn pace() -> Pace {
    Pace::of(Quota::Requests { per_second: 1.0, burst: NonZeroU32::MIN })
}

fn key(number: usize) -> Digest {
    let tenant = TenantId::parse("a").expect("a name");
    Digester::with_secret(7).digest(&tenant, &number)
}

fn at(millis: u64) -> Instant {
    Instant::ZERO + Duration::from_millis(millis)
}

fn take(keys: &Keys, number: usize, room: usize, now: Instant) -> Result<bool, Full> {
    keys.take(key(number), pace(), NonZeroU32::MIN, room, now).map(|taken| taken.is_ok())
}

/// Keys 0 to `count`, each of which owes until a second after `now`.
fn filled(count: usize, now: Instant) -> Keys {
    let keys = Keys::default();
    assert!((0..count).all(|number| take(&keys, number, ROOM, now) == Ok(true)));
    keys
}

fn counted(keys: &Keys) -> usize {
    keys.shards.iter().map(|shard| shard.lock().arrivals.len()).sum()
}

#[test]
fn an_entry_takes_24_bytes() {
    assert_eq!(size_of::<(Digest, Arrival)>(), 24);
}

#[test]
fn keys_are_spread_over_the_shards() {
    let keys = filled(6_400, at(0));
    assert!(keys.shards.iter().all(|shard| (50..200).contains(&shard.lock().arrivals.len())));
}

#[test]
fn a_refused_key_changes_nothing() {
    let keys = filled(1, at(0));
    assert_eq!(take(&keys, 0, ROOM, at(999)), Ok(false));
    assert_eq!(take(&keys, 0, ROOM, at(1000)), Ok(true));
    assert_eq!(keys.len(), 1);
}

#[test]
fn what_owes_nothing_is_forgotten() {
    let keys = filled(100, at(0));
    assert!((100..150).all(|number| take(&keys, number, ROOM, at(500)) == Ok(true)));
    keys.sweep(at(999));
    assert_eq!((keys.len(), counted(&keys)), (150, 150));
    keys.sweep(at(1000));
    assert_eq!((keys.len(), counted(&keys)), (50, 50));
}

#[test]
fn a_key_that_is_given_all_back_is_forgotten() {
    let keys = filled(1, at(0));
    keys.give_back(key(0), pace(), 1, at(0));
    assert_eq!((keys.len(), counted(&keys)), (0, 0));
    keys.give_back(key(0), pace(), 1, at(0));
    assert_eq!((keys.len(), take(&keys, 0, ROOM, at(0))), (0, Ok(true)));
}

#[test]
fn there_are_never_more_keys_than_there_is_room() {
    let keys = filled(100, at(0));
    assert_eq!(take(&keys, 100, 100, at(0)), Err(Full));
    assert_eq!(keys.debit(key(100), pace(), 1, 100, at(0)), Err(Full));
    assert_eq!(keys.peek(key(100), pace(), NonZeroU32::MIN, 100, at(0)), Err(Full));
    assert_eq!(take(&keys, 5, 100, at(0)), Ok(false), "keys that are there are counted on");
    assert_eq!((keys.len(), counted(&keys)), (100, 100));
}

#[test]
fn a_full_table_makes_room_of_what_owes_nothing() {
    let keys = filled(1_000, at(0));
    assert_eq!(take(&keys, 1_000, 1_000, at(999)), Err(Full));
    assert_eq!(take(&keys, 1_000, 1_000, at(1_199)), Ok(true));
    assert!(keys.len() < 1_000, "the rest of the shard went too");
}

#[test]
fn a_full_table_is_searched_now_and_then_and_not_by_every_new_key() {
    let keys = filled(1_000, at(0));
    assert_eq!(take(&keys, 1_000, 1_000, at(900)), Err(Full));
    assert_eq!(take(&keys, 1_000, 1_000, at(1_099)), Err(Full), "searched 199 ms ago");
    assert_eq!(take(&keys, 1_000, 1_000, at(1_100)), Ok(true));
}

#[test]
fn memory_is_given_back_after_a_rush() {
    let keys = filled(100_000, at(0));
    let capacity = || keys.shards.iter().map(|shard| shard.lock().arrivals.capacity()).sum::<usize>();
    assert!(capacity() >= 100_000);
    keys.sweep(at(1_000));
    assert_eq!(capacity(), 0);
}

#[test]
fn the_count_is_that_of_the_entries_whoever_comes_and_goes() {
    let keys = Keys::default();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let keys = &keys;
            scope.spawn(move || {
                for turn in 0..2_000_usize {
                    let now = at(turn as u64);
                    let number = (turn * 7 + thread) % 300;
                    let _ = take(keys, number, 200, now);
                    assert!(keys.len() <= 200);
                    if turn % 3 == 0 {
                        keys.give_back(key((turn * 5) % 300), pace(), 1, now);
                    }
                    if turn % 100 == 0 {
                        keys.sweep(now);
                    }
                }
            });
        }
    });
    assert_eq!(keys.len(), counted(&keys));
}

#[test]
fn who_comes_late_to_a_forgotten_key_owes_from_then_on_all_the_same() {
    let keys = filled(1, at(0));
    keys.sweep(at(1_000));
    assert_eq!(take(&keys, 0, ROOM, at(500)), Ok(true));
    assert_eq!(take(&keys, 0, ROOM, at(1_999)), Ok(false), "the one before was at 1 s, not at 500 ms");
    assert_eq!(take(&keys, 0, ROOM, at(2_000)), Ok(true));
}

#[test]
fn logs_show_no_keys() {
    let (keys, slot) = (filled(3, at(0)), key(1));
    assert_eq!(format!("{slot:?}").chars().count(), 9);
    assert_eq!(format!("{keys:?}"), "Keys { count: 3, .. }");
}
