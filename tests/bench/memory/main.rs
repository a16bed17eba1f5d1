//! How many bytes does one more of everything take, by resident memory?
//!
//! `cargo bench --bench memory`, or with `-- --output json` for one JSON object. Linux only: reads `/proc`. Tables are
//! filled with a million entries, the fleet with ten thousand nodes; connections are counted at a server in a process of
//! its own.

#[path = "../shared/child.rs"]
mod child;
#[path = "../shared/fleet.rs"]
mod fleet;
#[path = "../shared/resident.rs"]
mod resident;
#[path = "../shared/said.rs"]
mod said;

mod connections;
mod grow;
mod nodes;
mod tables;

use grow::Figure;
use said::{Failure, is_asked, say};

fn main() -> Result<(), Failure> {
    if child::role().is_some() {
        return connections::serve();
    }
    let figures = [
        tables::answers()?,
        tables::user_keys()?,
        tables::blocks("lone prefix block", 1, 1)?,
        tables::blocks("prefix block", 100, 1)?,
        tables::blocks("shared prefix block", 100, 2)?,
        nodes::nodes()?,
        nodes::leases()?,
        connections::connections()?,
    ];
    if is_asked("json") {
        say(&json(&figures));
    } else {
        say("bytes of one of many        bytes   worst on the way   bound");
        for Figure { name, bytes, worst, bytes_max } in &figures {
            say(&format!("{name:<24} {bytes:>8} {worst:>18} {bytes_max:>7}"));
        }
    }
    let over = figures.iter().find(|figure| figure.worst > figure.bytes_max);
    over.map_or(Ok(()), |figure| Err(format!("{} takes more than its bound", figure.name).into()))
}

fn json(figures: &[Figure]) -> String {
    let entries: serde_json::Map<_, _> =
        figures.iter().map(|figure| (figure.name.replace(' ', "_"), figure.bytes.into())).collect();
    serde_json::json!({ "memory": entries }).to_string()
}
