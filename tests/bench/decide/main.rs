//! What does one decision cost in process, at which fleet, by which policy, in which stage?
//!
//! `cargo bench --bench decide`, or with `-- --output json` for one JSON object. Nodes are reported and tell what an
//! engine tells; prompts of 32 blocks recur, and some nodes hold them. What is timed is a run of decisions; what was
//! reserved is let go after it. Figures are medians over runs, in nanoseconds a decision.

#[path = "../shared/clock.rs"]
mod clock;
#[path = "../shared/fleet.rs"]
mod fleet;
#[path = "../shared/limiting.rs"]
mod limiting;
#[path = "../shared/prompts.rs"]
mod prompts;
#[path = "../shared/said.rs"]
mod said;
#[path = "../shared/world.rs"]
mod world;

mod samples;
mod stages;

use mimalloc::MiMalloc;
use pointsman::domain::policy::Balance;
use serde_json::{Map, Value, json};

use said::{Failure, is_asked, say};
use stages::{Stages, stages};
use world::World;

/// Sizes of fleets.
const NODES: [usize; 4] = [10, 100, 1_000, 10_000];
/// The fleet on which policies are compared.
const USUAL: usize = 1_000;
/// Models that the fleet serves with full work, one a node.
const POOLS: usize = 4;

/// As the service has it.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> Result<(), Failure> {
    let by_nodes = NODES.into_iter().map(at).collect::<Result<Vec<_>, _>>()?;
    let by_policy = Balance::NAMES.into_iter().map(policy).collect::<Result<Vec<_>, _>>()?;
    if is_asked("json") {
        say(&object(&by_nodes, &by_policy).to_string());
        return Ok(());
    }
    say("ns a decision, medians; place is filter + score + pick, decide is all of it");
    say(&Stages::head("nodes"));
    for (nodes, base, full) in &by_nodes {
        say(&base.line(&nodes.to_string()));
        say(&full.line(&format!("{nodes} full")));
    }
    say(&Stages::head("1,000 nodes by"));
    for (name, stages) in &by_policy {
        say(&stages.line(name));
    }
    Ok(())
}

/// A fleet of this size: one pool without limits, and several with them, and with answers that are not known.
fn at(nodes: usize) -> Result<(usize, Stages, Stages), Failure> {
    let base = World::new(fleet::policy(), nodes, 1)?;
    let mut full = World::new(limiting::policy()?, nodes, POOLS)?;
    full.asks = true;
    Ok((nodes, stages(base)?, stages(full)?))
}

fn policy((balance, name): (Balance, &'static str)) -> Result<(&'static str, Stages), Failure> {
    let policy = pointsman::domain::policy::Policy { balance, ..fleet::policy() };
    Ok((name, stages(World::new(policy, USUAL, 1)?)?))
}

/// `decide` is filter, score and pick; `decide_full` all of a decision with full work.
fn object(by_nodes: &[(usize, Stages, Stages)], by_policy: &[(&'static str, Stages)]) -> Value {
    let named = |nodes: &usize| format!("nodes_{nodes}");
    let decide: Map<_, _> =
        by_nodes.iter().map(|(nodes, base, _)| (named(nodes), base.json(base.place))).collect();
    let full: Map<_, _> =
        by_nodes.iter().map(|(nodes, _, full)| (named(nodes), full.json(full.decide))).collect();
    let policies: Map<_, _> =
        by_policy.iter().map(|(name, stages)| ((*name).to_owned(), stages.json(stages.place))).collect();
    json!({ "decide": decide, "decide_full": full, "decide_by_policy": policies })
}
