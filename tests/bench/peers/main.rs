//! How long does a decision take here, and how long with others?
//!
//! `cargo bench --bench peers`, or with `-- --output json` for one JSON object: medians over rounds in which all take
//! turns, in nanoseconds a decision. Beside our own in process stand, each in a process of its own that times itself:
//!
//! - `sort`: what one writes first, in Node.js: every node is scored by what it holds of the prompt and by its load, and all
//!   are sorted; then the chosen one is noted to hold the prompt and to have one more.
//! - `litellm`: the router of `LiteLLM` by its policy `least-busy`, which knows nothing of prompts and notes nothing.
//! - `dynamo`: the crate `dynamo-kv-router`: who holds how much of the prompt by its radix tree, and its default selection
//!   over all workers; then the chosen one is noted to hold the prompt and to have its blocks to do.
//!
//! All are asked for the same prompts, which recur, in the same order, among as many nodes, that have had each prompt
//! twice. Each turn starts with a run that does not count, for caches that others have used meanwhile. What requests are
//! made of beforehand, and what is let go afterwards, is not timed.
//!
//! They do not do the same. Ours alone weighs what nodes reported of load and speed, grants a lease, names fallbacks, bounds
//! what a node's cache holds, and lets many decide at once; none checks limits here. Ten caches do not hold all prompts, so
//! that ours push blocks out there. The loads that Dynamo gathers anew for each request lie ready here, and its queue, its
//! bookings and the threads about its tree are left out.
//!
//! A peer that cannot be had, or fails later, is left out, and a line says why. `litellm` and `dynamo` are fetched and built
//! at their first run, which takes minutes, into the target directory; that needs python3 with venv, and `sort` needs node.
//! Not a part of the continuous integration.

#[path = "../shared/clock.rs"]
mod clock;
#[path = "../shared/fleet.rs"]
mod fleet;
#[path = "../shared/prompts.rs"]
mod prompts;
#[path = "../shared/said.rs"]
mod said;
#[path = "../shared/world.rs"]
mod world;

mod entrant;
mod ours;
mod peer;
mod place;
mod setup;
mod table;

use mimalloc::MiMalloc;

use entrant::Entrant;
use ours::Ours;
use said::{Failure, is_asked, say};
use table::Table;

/// Sizes of fleets.
const NODES: [usize; 3] = [10, 100, 1_000];
/// Rounds over which medians are taken.
const ROUNDS: usize = 15;

/// As the service has it.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> Result<(), Failure> {
    let mut table = Table::default();
    let mut ours = Entrant::new("pointsman", Ours::default());
    let mut peers = Vec::new();
    for (name, prepare) in setup::PEERS {
        match setup::start(name, prepare) {
            Ok(peer) => peers.push(Entrant::new(name, peer)),
            Err(error) => table.left_out.push((name, error)),
        }
    }
    for _ in 0..ROUNDS {
        for fleet in 0..NODES.len() {
            ours.turn(fleet)?;
            peers.retain_mut(|peer| match peer.turn(fleet) {
                Ok(()) => true,
                Err(error) => {
                    table.left_out.push((peer.name, error));
                    false
                }
            });
        }
    }
    table.rows.push(ours.row());
    table.rows.extend(peers.into_iter().map(Entrant::row));
    say(&if is_asked("json") { table.json().to_string() } else { table.text() });
    Ok(())
}
