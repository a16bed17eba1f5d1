mod model;
mod property;

use std::{sync::Arc, time::Duration};

use super::{Occupancy, Prefixes, Renewals, Wanted};
use crate::domain::{prefix::BlockKey, time::Instant};

const MANY: u64 = 1_000_000;

fn at(seconds: u64) -> Instant {
    Instant::after_start(Duration::from_secs(seconds))
}

/// A prompt by a letter a block: each key stands for all letters up to it.
fn chain(prompt: &str) -> Vec<BlockKey> {
    let step = |state: &mut u64, letter: u8| {
        *state = (*state ^ u64::from(letter)).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(29);
        Some(BlockKey::new(*state))
    };
    prompt.bytes().scan(7, step).collect()
}

fn node(prefixes: &Prefixes, capacity: u32) -> Arc<Occupancy> {
    prefixes.join(capacity).expect("there is room")
}

fn place(prefixes: &Prefixes, node: &Occupancy, prompt: &str, seconds: u64) {
    put(prefixes, node, &chain(prompt), MANY, seconds);
}

fn put(prefixes: &Prefixes, node: &Occupancy, blocks: &[BlockKey], most: u64, seconds: u64) -> Renewals {
    prefixes.place(node, blocks, most, at(seconds))
}

fn depth(prefixes: &Prefixes, node: &Occupancy, prompt: &str) -> u32 {
    prefixes.overlaps(&chain(prompt)).depth(node.holder())
}

#[test]
fn a_node_holds_as_much_as_its_prompts_share_with_this_one() {
    let prefixes = Prefixes::default();
    let (a, b, c) = (node(&prefixes, 99), node(&prefixes, 99), node(&prefixes, 99));
    place(&prefixes, &a, "abcdef", 1);
    place(&prefixes, &b, "abcxyz", 1);
    assert_eq!(depth(&prefixes, &a, "abcdeg"), 5);
    assert_eq!(depth(&prefixes, &b, "abcdeg"), 3);
    assert_eq!(depth(&prefixes, &c, "abcdeg"), 0);
    assert_eq!(prefixes.overlaps(&chain("abcdeg")).deepest(), 5);
    assert_eq!(depth(&prefixes, &a, "bcdef"), 0);
    assert_eq!(prefixes.overlaps(&[]).deepest(), 0);
}

#[test]
fn many_holders_are_told_apart_as_few_are() {
    let prefixes = Prefixes::default();
    let nodes: Vec<_> = (0..100).map(|_| node(&prefixes, 99)).collect();
    for (number, node) in nodes.iter().enumerate() {
        place(&prefixes, node, &"abcdefgh"[..=number % 8], 1);
    }
    for (number, node) in nodes.iter().enumerate() {
        assert_eq!(depth(&prefixes, node, "abcdefgz") as usize, (1 + number % 8).min(7));
    }
}

#[test]
fn a_full_cache_loses_what_was_used_longest_ago_and_tails_before_heads() {
    let prefixes = Prefixes::default();
    let node = node(&prefixes, 6);
    place(&prefixes, &node, "abc", 1);
    place(&prefixes, &node, "xyz", 2);
    place(&prefixes, &node, "x", 3);
    place(&prefixes, &node, "kl", 4);
    assert_eq!(node.held(), 6);
    assert_eq!(depth(&prefixes, &node, "abc"), 1);
    assert_eq!(depth(&prefixes, &node, "xyz"), 3);
    place(&prefixes, &node, "mn", 5);
    assert_eq!(depth(&prefixes, &node, "abc"), 0);
    assert_eq!(depth(&prefixes, &node, "xyz"), 2);
}

#[test]
fn of_a_prompt_longer_than_the_cache_its_beginning_stays() {
    let prefixes = Prefixes::default();
    let node = node(&prefixes, 3);
    place(&prefixes, &node, "xy", 1);
    place(&prefixes, &node, "abcdef", 2);
    assert_eq!((node.held(), depth(&prefixes, &node, "abcdef")), (3, 3));
    assert_eq!(depth(&prefixes, &node, "xy"), 0);
}

#[test]
fn what_hangs_below_a_removed_block_goes_with_it() {
    let prefixes = Prefixes::default();
    let (a, b) = (node(&prefixes, 99), node(&prefixes, 99));
    for node in [&a, &b] {
        place(&prefixes, node, "abcdef", 1);
        place(&prefixes, node, "abcxyz", 2);
        place(&prefixes, node, "abqr", 3);
    }
    prefixes.removed(&a, &chain("abc")[2..]);
    assert_eq!(depth(&prefixes, &a, "abcdef"), 2);
    assert_eq!(depth(&prefixes, &a, "abcxyz"), 2);
    assert_eq!(depth(&prefixes, &a, "abqr"), 4);
    assert_eq!((a.held(), b.held()), (4, 11));
    assert_eq!(depth(&prefixes, &b, "abcdef"), 6);
    // A hole does not close by what comes after it.
    place(&prefixes, &a, "abc", 4);
    assert_eq!(depth(&prefixes, &a, "abcdef"), 3);
}

#[test]
fn what_an_engine_removes_may_come_in_any_order() {
    let prefixes = Prefixes::default();
    for order in [[1, 2, 4], [4, 2, 1], [2, 4, 1]] {
        let node = node(&prefixes, 99);
        place(&prefixes, &node, "abcdef", 1);
        place(&prefixes, &node, "abx", 1);
        let blocks = chain("abcdef");
        prefixes.removed(&node, &order.map(|index| blocks[index]));
        assert_eq!((node.held(), depth(&prefixes, &node, "abcdef")), (1, 1));
    }
}

#[test]
fn what_an_engine_stores_follows_only_what_is_there() {
    let prefixes = Prefixes::default();
    let node = node(&prefixes, 99);
    let blocks = chain("abcdef");
    prefixes.stored(&node, Some(blocks[2]), &blocks[3..], MANY, at(1));
    assert_eq!(node.held(), 0);
    prefixes.stored(&node, None, &blocks[..3], MANY, at(2));
    prefixes.stored(&node, Some(blocks[2]), &blocks[3..], MANY, at(3));
    assert_eq!((node.held(), depth(&prefixes, &node, "abcdef")), (6, 6));
    // It is lost, and the engine goes on where it was.
    node.chill();
    prefixes.stored(&node, Some(blocks[2]), &blocks[3..], MANY, at(4));
    assert_eq!((node.held(), depth(&prefixes, &node, "abcdef")), (0, 0));
}

#[test]
fn what_an_engine_stores_renews_what_it_follows() {
    let prefixes = Prefixes::default();
    let node = node(&prefixes, 6);
    place(&prefixes, &node, "abc", 1);
    place(&prefixes, &node, "xyz", 2);
    prefixes.stored(&node, Some(chain("abc")[2]), &chain("abcd")[3..], MANY, at(3));
    assert_eq!(depth(&prefixes, &node, "abcd"), 4);
    assert_eq!(depth(&prefixes, &node, "xyz"), 2);
}

#[test]
fn a_chain_that_breaks_the_promise_of_keys_ends_where_it_contradicts_the_tree() {
    let prefixes = Prefixes::default();
    let (a, b) = (node(&prefixes, 99), node(&prefixes, 99));
    let good = chain("abc");
    put(&prefixes, &a, &good, MANY, 1);
    put(&prefixes, &a, &[good[0], chain("ax")[1]], MANY, 2);
    // What follows another block, as a beginning and elsewhere.
    put(&prefixes, &b, &good[1..], MANY, 3);
    put(&prefixes, &b, &[chain("k")[0], good[1]], MANY, 3);
    assert_eq!((a.held(), b.held()), (4, 2));
    // A block after itself.
    put(&prefixes, &b, &[good[0], good[0], good[1]], MANY, 4);
    assert_eq!(b.held(), 3);
    assert_eq!(prefixes.overlaps(&good).depth(b.holder()), 1);
}

/// A gateway may hash each block alone, so that the same key stands for the same words wherever they are.
#[test]
fn a_key_is_found_at_one_place_however_often_it_is_said() {
    let prefixes = Prefixes::default();
    let node = node(&prefixes, 10_000);
    let same = BlockKey::new(7);
    for number in 0..100 {
        let [first, last, other] = [1, 2, 3].map(|part| BlockKey::new(10 * number + 1000 * part));
        put(&prefixes, &node, &[first, same, last], MANY, 1);
        // Parts from the one before, just before the key.
        put(&prefixes, &node, &[first, other], MANY, 1);
        prefixes.check();
    }
    prefixes.stored(&node, None, &vec![same; 4096], MANY, at(2));
    prefixes.removed(&node, &[BlockKey::new(1)]);
    prefixes.check();
    assert!(prefixes.bytes() < 100_000, "{} bytes", prefixes.bytes());
}

#[test]
fn all_together_stay_within_the_bound_at_the_cost_of_the_fullest() {
    let prefixes = Prefixes::default();
    let (large, small) = (node(&prefixes, 99), node(&prefixes, 99));
    put(&prefixes, &small, &chain("abc"), MANY, 1);
    let of_one = prefixes.bytes();
    put(&prefixes, &large, &chain("klmnopq"), MANY, 2);
    let of_both = prefixes.bytes();
    assert!(of_one < of_both);
    put(&prefixes, &small, &chain("abcd"), of_both, 3);
    assert!(prefixes.bytes() <= of_both);
    assert_eq!((small.held(), large.held()), (4, 0));
    put(&prefixes, &small, &chain("xyz"), 0, 4);
    assert_eq!((prefixes.blocks(), prefixes.bytes()), (0, 0));
}

#[test]
fn a_smaller_cache_keeps_what_was_used_last() {
    let prefixes = Prefixes::default();
    let node = node(&prefixes, 99);
    place(&prefixes, &node, "abc", 1);
    place(&prefixes, &node, "xyz", 2);
    prefixes.resize(&node, 3);
    assert_eq!((node.held(), node.capacity()), (3, 3));
    assert_eq!((depth(&prefixes, &node, "abc"), depth(&prefixes, &node, "xyz")), (0, 3));
    prefixes.clear(&node);
    assert_eq!((node.held(), prefixes.blocks()), (0, 0));
}

#[test]
fn a_node_that_lost_its_cache_holds_nothing_from_then_on() {
    let prefixes = Prefixes::default();
    let node = node(&prefixes, 99);
    place(&prefixes, &node, "abc", 1);
    node.chill();
    assert_eq!((node.held(), depth(&prefixes, &node, "abc")), (0, 0));
    assert_eq!(node.lively(&Wanted::within(Duration::from_mins(1), at(1))), 0.0);
    place(&prefixes, &node, "ab", 2);
    assert_eq!((node.held(), depth(&prefixes, &node, "abc")), (2, 2));
}

#[test]
fn a_number_that_is_used_again_inherits_nothing() {
    let prefixes = Prefixes::default();
    let old = node(&prefixes, 99);
    place(&prefixes, &old, "abc", 1);
    prefixes.leave(&old);
    assert_eq!((old.held(), prefixes.blocks()), (0, 0));
    // A pick that was under way to the old one.
    place(&prefixes, &old, "xyz", 1);
    assert_eq!(prefixes.blocks(), 0);
    let new = node(&prefixes, 99);
    assert_eq!(new.number(), old.number());
    assert_eq!((new.held(), depth(&prefixes, &new, "abc")), (0, 0));
    place(&prefixes, &old, "xyz", 2);
    prefixes.stored(&old, None, &chain("xyz"), MANY, at(2));
    assert_eq!((new.held(), depth(&prefixes, &new, "xyz")), (0, 0));
    // Nor can the old one take anything from it.
    place(&prefixes, &new, "abc", 3);
    prefixes.removed(&old, &chain("abc"));
    prefixes.clear(&old);
    prefixes.leave(&old);
    assert_eq!((new.held(), depth(&prefixes, &new, "abc")), (3, 3));
}

#[test]
fn renewals_tell_how_long_ago_blocks_were_used() {
    let prefixes = Prefixes::default();
    let node = node(&prefixes, 99);
    place(&prefixes, &node, "abc", 10);
    let renewals = put(&prefixes, &node, &chain("abxy"), MANY, 30);
    assert_eq!((renewals.count, renewals.seconds), (2, 40.0));
}

#[test]
fn a_cache_that_forgets_sooner_than_expected_is_taken_to_be_smaller() {
    let prefixes = Prefixes::default();
    let node = node(&prefixes, 99);
    assert_eq!(node.corrected(1000), 1000);
    node.correct(8, 4);
    assert_eq!(node.corrected(1000), 950);
    node.correct(8, 8);
    assert_eq!(node.corrected(1000), 950);
    node.correct(8, 9);
    assert_eq!(node.corrected(1000), 960);
    for _ in 0..1000 {
        node.correct(8, 0);
    }
    assert_eq!(node.corrected(1000), 250);
    for _ in 0..1000 {
        node.correct(0, 8);
    }
    assert_eq!(node.corrected(1000), 4000);
}
