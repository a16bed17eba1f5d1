use std::collections::HashMap;

use proptest::prelude::*;

use super::*;

const PLENTY: usize = 1_000_000;

fn at(seconds: u64) -> Instant {
    Instant::from_nanos(seconds * 1_000_000_000)
}

/// Blocks of a prompt: `chain` names it from `fork` on, before that it is like all others.
fn prompt(chain: u64, fork: u64, length: u64) -> Vec<BlockKey> {
    let number = |i: u64| if i < fork { i } else { (10 * chain + fork + 1) * 1000 + i };
    (0..length)
        .map(|i| BlockKey::new(number(i).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(23)))
        .collect()
}

fn two() -> (Prefixes, Arc<Occupancy>, Arc<Occupancy>) {
    let prefixes = Prefixes::default();
    let (a, b) = (prefixes.join(100).expect("room"), prefixes.join(100).expect("room"));
    (prefixes, a, b)
}

#[test]
fn each_node_is_told_with_as_much_as_it_holds() {
    let (prefixes, a, b) = two();
    prefixes.place(&a, &prompt(1, 4, 10), PLENTY, at(1));
    prefixes.place(&b, &prompt(2, 4, 10), PLENTY, at(1));
    let overlaps = prefixes.overlaps(&prompt(1, 4, 20));
    assert_eq!((overlaps.depth(&a), overlaps.depth(&b), overlaps.deepest()), (10, 4, 10));
    assert_eq!(prefixes.overlaps(&prompt(3, 0, 5)).deepest(), 0);
    assert_eq!(prefixes.overlaps(&[]).deepest(), 0);
}

#[test]
fn a_full_cache_lets_go_of_old_tails_first() {
    let prefixes = Prefixes::default();
    let a = prefixes.join(12).expect("room");
    prefixes.place(&a, &prompt(1, 2, 6), PLENTY, at(1));
    prefixes.place(&a, &prompt(2, 0, 8), PLENTY, at(2));
    assert_eq!((a.held(), prefixes.blocks()), (12, 12));
    assert_eq!(prefixes.overlaps(&prompt(1, 2, 6)).depth(&a), 4, "its head is left");
    assert_eq!(prefixes.overlaps(&prompt(2, 0, 8)).depth(&a), 8);
}

#[test]
fn the_whole_is_bounded_at_the_cost_of_who_holds_most() {
    let (prefixes, a, b) = two();
    prefixes.place(&b, &prompt(1, 0, 10), 80, at(1));
    for chain in 2..12 {
        prefixes.place(&a, &prompt(chain, 0, 10), 80, at(chain));
    }
    assert!(prefixes.blocks() <= 80);
    assert_eq!(b.held(), 10, "the small one keeps what it has");
}

#[test]
fn a_number_that_is_used_again_inherits_nothing() {
    let (prefixes, a, _b) = two();
    prefixes.place(&a, &prompt(1, 0, 10), PLENTY, at(1));
    let number = a.number();
    prefixes.leave(&a);
    let next = prefixes.join(100).expect("room");
    assert_eq!((next.number(), prefixes.overlaps(&prompt(1, 0, 10)).depth(&next)), (number, 0));
}

#[test]
fn a_node_that_started_anew_holds_nothing_from_that_moment_on() {
    let (prefixes, a, _b) = two();
    prefixes.place(&a, &prompt(1, 0, 10), PLENTY, at(1));
    a.chill();
    assert_eq!((prefixes.overlaps(&prompt(1, 0, 10)).depth(&a), a.held()), (0, 0));
    prefixes.place(&a, &prompt(2, 0, 3), PLENTY, at(2));
    assert_eq!((a.held(), prefixes.overlaps(&prompt(1, 0, 10)).depth(&a)), (3, 0));
}

#[test]
fn blocks_count_by_how_lately_they_were_used() {
    let (prefixes, a, _b) = two();
    prefixes.place(&a, &prompt(1, 0, 10), PLENTY, at(0));
    let pause = std::time::Duration::from_secs(15); // which makes tau 120 s
    assert!((a.lively(pause, at(0)) - 10.0).abs() < 0.1);
    assert!((a.lively(pause, at(120)) - 10.0 / std::f64::consts::E).abs() < 0.1);
    let renewals = prefixes.place(&a, &prompt(1, 0, 10), PLENTY, at(120));
    assert_eq!((renewals.count, renewals.seconds), (10, 1200.0));
    assert!((a.lively(pause, at(120)) - 10.0).abs() < 0.1, "used again, they count in full");
}

#[test]
fn a_guessed_capacity_follows_what_answers_show() {
    let (_prefixes, a, _b) = two();
    for _ in 0..10 {
        a.correct(8, 2);
    }
    assert!((550..650).contains(&a.corrected(1000)), "{}", a.corrected(1000));
    for _ in 0..1000 {
        a.correct(8, 2);
    }
    assert_eq!(a.corrected(1000), 250, "no further");
}

#[derive(Debug, Clone)]
enum Step {
    Place { node: usize, chain: u64, fork: u64, length: u64 },
    Clear(usize),
    Resize(usize, u32),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let place = (0..3_usize, 0..5_u64, 0..8_u64, 1..24_u64)
        .prop_map(|(node, chain, fork, length)| Step::Place { node, chain, fork, length });
    let step = prop_oneof![
        10 => place,
        1 => (0..3_usize).prop_map(Step::Clear),
        1 => (0..3_usize, 5..60_u32).prop_map(|(node, capacity)| Step::Resize(node, capacity)),
    ];
    prop::collection::vec(step, 0..60)
}

/// One node's cache as a plain list, from the least to the most recently used.
#[derive(Default)]
struct Plain {
    blocks: Vec<BlockKey>,
    capacity: usize,
}

impl Plain {
    fn place(&mut self, blocks: &[BlockKey]) {
        for block in blocks.iter().rev() {
            self.blocks.retain(|known| known != block);
            self.blocks.push(*block);
        }
        self.trim();
    }

    fn trim(&mut self) {
        let over = self.blocks.len().saturating_sub(self.capacity);
        self.blocks.drain(..over);
    }
}

proptest! {
    /// After any history each node holds what a plain list of its uses says, and is told with just that.
    #[test]
    fn holds_what_a_plain_list_says(steps in steps()) {
        let prefixes = Prefixes::default();
        let nodes: Vec<_> = (0..3).map(|_| prefixes.join(30).expect("room")).collect();
        let mut plain: Vec<_> = (0..3).map(|_| Plain { blocks: Vec::new(), capacity: 30 }).collect();
        let mut asked = HashMap::new();
        for (moment, step) in steps.into_iter().enumerate() {
            match step {
                Step::Place { node, chain, fork, length } => {
                    let blocks = prompt(chain, fork, length);
                    prefixes.place(&nodes[node], &blocks, PLENTY, at(moment as u64));
                    plain[node].place(&blocks);
                    asked.insert((chain, fork), blocks);
                }
                Step::Clear(node) => {
                    prefixes.clear(&nodes[node]);
                    plain[node].blocks.clear();
                }
                Step::Resize(node, capacity) => {
                    prefixes.resize(&nodes[node], capacity);
                    plain[node].capacity = capacity as usize;
                    plain[node].trim();
                }
            }
            for blocks in asked.values() {
                let overlaps = prefixes.overlaps(blocks);
                for (node, plain) in nodes.iter().zip(&plain) {
                    let depth = blocks.iter().take_while(|block| plain.blocks.contains(block)).count();
                    prop_assert_eq!(overlaps.depth(node) as usize, depth);
                    prop_assert_eq!(node.held() as usize, plain.blocks.len());
                }
            }
        }
    }
}
