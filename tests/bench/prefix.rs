//! How long does it take to find who holds how much of a prompt?
//!
//! `cargo bench --bench prefix`, or with `-- --output json` for one JSON object. Each case has an index of its own of a
//! million blocks, counted once for each holder, which is far more than the processor's caches hold; prompts are asked
//! for in turn, and each lookup is timed alone. Figures are medians.

use std::{env, hint::black_box, sync::Arc};

use pointsman::{
    domain::{
        prefix::BlockKey,
        time::{Chance, Instant},
    },
    state::nodes::prefixes::{Occupancy, Prefixes},
};

type Failure = Box<dyn std::error::Error>;

const ENTRIES: usize = 1_000_000;
const NODES: usize = 1000;
const ROUNDS: usize = 20_000;
const NOW: Instant = Instant::from_nanos(1_000_000_000);
/// Most that a lookup of 128 blocks may take where 1 to 8 nodes hold them, in nanoseconds.
const USUAL_MAX: u64 = 1000;

/// Median nanoseconds of prompts of 32 and of 128 blocks.
struct Figure {
    name: &'static str,
    short: u64,
    long: u64,
    /// Most that the long one may take.
    most: Option<u64>,
}

/// An index and the prompts in it.
struct Filled {
    prefixes: Prefixes,
    nodes: Vec<Arc<Occupancy>>,
    prompts: Vec<Vec<BlockKey>>,
}

fn main() -> Result<(), Failure> {
    let figures = figures();
    if env::args().any(|argument| argument == "json") {
        let entries: serde_json::Map<_, _> = figures
            .iter()
            .map(|figure| {
                let median = serde_json::json!({ "32": figure.short, "128": figure.long });
                (figure.name.replace(' ', "_"), median)
            })
            .collect();
        say(&serde_json::json!({ "prefix_ns": entries }).to_string());
    } else {
        say("median ns, 1 million blocks       32 blocks  128 blocks   bound");
        for Figure { name, short, long, most } in &figures {
            let most = most.map_or("-".to_owned(), |most| most.to_string());
            say(&format!("{name:<32} {short:>10} {long:>11} {most:>7}"));
        }
    }
    let over = figures.iter().find(|figure| figure.most.is_some_and(|most| figure.long > most));
    over.map_or(Ok(()), |figure| Err(format!("`{}` takes more than its bound", figure.name).into()))
}

fn figures() -> [Figure; 9] {
    let figure = |name, most, measure: &dyn Fn(usize) -> u64| Figure {
        name,
        short: measure(32),
        long: measure(128),
        most,
    };
    [
        figure("all of it held by 1", Some(USUAL_MAX), &|length| lookup(&held_by(length, 1))),
        figure("all of it held by 8", Some(USUAL_MAX), &|length| lookup(&held_by(length, 8))),
        figure("half of it held by 8", Some(USUAL_MAX), &|length| lookup(&half_held(length))),
        figure("all of it held by 64", None, &|length| lookup(&held_by(length, 64))),
        figure("held by 64, parted 15 times", None, &|length| lookup(&parted(length))),
        figure("all of it held by 1000", None, &|length| lookup(&held_by(length, 1000))),
        figure("1 block by 1000, half by 8", None, &|length| lookup(&shared_beginning(length))),
        figure("nothing held", Some(USUAL_MAX), &|length| lookup(&not_held(length))),
        figure("place what is held by 8", None, &|length| place(&held_by(length, 8))),
    ]
}

impl Filled {
    fn new() -> Self {
        let prefixes = Prefixes::default();
        let nodes = (0..NODES).filter_map(|_| prefixes.join(u32::MAX)).collect();
        Self { prefixes, nodes, prompts: Vec::new() }
    }

    /// So many nodes from this one on hold the prompt.
    fn hold(&self, first: usize, holders: usize, prompt: &[BlockKey]) {
        for number in first..first + holders {
            self.prefixes.place(&self.nodes[number % NODES], prompt, u64::MAX, NOW);
        }
    }
}

fn prompt(length: usize, chance: &mut Chance) -> Vec<BlockKey> {
    (0..length).map(|_| BlockKey::new(chance.u64(..))).collect()
}

fn held_by(length: usize, holders: usize) -> Filled {
    let mut filled = Filled::new();
    let mut chance = Chance::with_seed(7);
    while filled.prefixes.blocks() < ENTRIES {
        let prompt = prompt(length, &mut chance);
        // Scattered, as over a day: the holders of one prompt did not get it one after another.
        filled.hold(chance.usize(..NODES), 1, &prompt);
        filled.prompts.push(prompt);
        if filled.prompts.len() * length * holders >= ENTRIES {
            break;
        }
    }
    for turn in 1..holders {
        for prompt in &filled.prompts {
            filled.hold(first_holder(prompt) + turn, 1, prompt);
        }
    }
    filled
}

fn first_holder(prompt: &[BlockKey]) -> usize {
    usize::try_from(prompt[0].get() % NODES as u64).unwrap_or(0)
}

/// The second half is new.
fn half_held(length: usize) -> Filled {
    let mut filled = held_by(length / 2, 8);
    let mut chance = Chance::with_seed(8);
    for held in &mut filled.prompts {
        held.extend(prompt(length / 2, &mut chance));
    }
    filled
}

/// From each prompt others have parted at 15 places, on nodes that hold it.
fn parted(length: usize) -> Filled {
    let filled = held_by(length, 64);
    let mut chance = Chance::with_seed(8);
    for prompt in &filled.prompts {
        for part in 1..16 {
            let mut other = prompt[..part * length / 16].to_vec();
            other.push(BlockKey::new(chance.u64(..)));
            filled.hold(first_holder(prompt) + part, 1, &other);
        }
    }
    filled
}

/// All prompts begin with a block that every node holds.
fn shared_beginning(length: usize) -> Filled {
    let mut filled = Filled::new();
    let mut chance = Chance::with_seed(7);
    let beginning = BlockKey::new(chance.u64(..));
    filled.hold(0, NODES, &[beginning]);
    while filled.prefixes.blocks() < ENTRIES {
        let mut prompt = prompt(length, &mut chance);
        prompt[0] = beginning;
        filled.hold(chance.usize(..NODES), 8, &prompt[..length / 2]);
        filled.prompts.push(prompt);
    }
    filled
}

fn not_held(length: usize) -> Filled {
    let mut filled = held_by(length, 1);
    let mut chance = Chance::with_seed(8);
    filled.prompts = (0..10_000).map(|_| prompt(length, &mut chance)).collect();
    filled
}

fn lookup(filled: &Filled) -> u64 {
    median(|round| {
        let prompt = &filled.prompts[round * 7919 % filled.prompts.len()];
        timed(|| drop(black_box(filled.prefixes.overlaps(black_box(prompt)))))
    })
}

/// By a node that holds it: it is renewed.
fn place(filled: &Filled) -> u64 {
    median(|round| {
        let prompt = &filled.prompts[round * 7919 % filled.prompts.len()];
        let overlaps = filled.prefixes.overlaps(prompt);
        let holder =
            filled.nodes.iter().find(|node| overlaps.depth(node.holder()) > 0).unwrap_or(&filled.nodes[0]);
        timed(|| {
            black_box(filled.prefixes.place(holder, black_box(prompt), u64::MAX, NOW));
        })
    })
}

fn median(mut sample: impl FnMut(usize) -> u64) -> u64 {
    let mut samples: Vec<_> = (0..ROUNDS).map(&mut sample).collect();
    *samples.select_nth_unstable(ROUNDS / 2).1
}

#[expect(clippy::disallowed_methods, reason = "what it measures")]
fn timed(act: impl FnOnce()) -> u64 {
    let start = std::time::Instant::now();
    act();
    u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

#[expect(clippy::print_stdout, reason = "what it is for")]
fn say(line: &str) {
    println!("{line}");
}
