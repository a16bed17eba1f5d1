//! What does a pick cost, compared with a server that does nothing?
//!
//! `cargo bench --bench wire`. After `--`: `--output json` for one JSON object, `--quick` for few requests, `--gate` to
//! fail where a ratio is past its bar, `--multi` for servers on the multi-threaded runtime, `--only CASE` for one case.
//!
//! Three servers, each in a process of its own, all of this build: one that answers every pick with the same reply, and
//! Pointsman twice, once as an operator has it who changes nothing but bounds, once with full work (`server`). One load
//! generator for all (`load`). Rounds are outermost, servers inside, in alternating order, so that noise falls on all;
//! figures are medians over rounds. Between two windows, and in none, every lease is ended, so that each window begins
//! with none and ends with as many as it had picks.

#[path = "../shared/child.rs"]
mod child;
#[path = "../shared/clock.rs"]
mod clock;
#[path = "../shared/cpu.rs"]
mod cpu;
#[path = "../shared/fleet.rs"]
mod fleet;
#[path = "../shared/limiting.rs"]
mod limiting;
#[path = "../shared/prompts.rs"]
mod prompts;
#[path = "../shared/said.rs"]
mod said;

mod asks;
mod case;
mod gate;
mod link;
mod load;
mod noop;
mod reply;
mod rounds;
mod server;
mod stream;
mod table;

use std::process::ExitCode;

use mimalloc::MiMalloc;

use said::{Failure, is_asked, say};

/// As the service has it.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> Result<ExitCode, Failure> {
    if let Some(role) = child::role() {
        return server::serve(&role).map(|()| ExitCode::SUCCESS);
    }
    let scale = if is_asked("--quick") { case::Scale::Quick } else { case::Scale::Full };
    let cases = case::cases();
    let measured = rounds::measure(&cases, scale)?;
    let outcomes = table::outcomes(&cases, &measured);
    if is_asked("json") {
        say(&table::json(&outcomes).to_string());
    } else {
        for line in table::lines(&outcomes) {
            say(&line);
        }
    }
    let past = gate::past(&outcomes);
    if is_asked("--gate") && !past.is_empty() {
        return Err(past.join("; ").into());
    }
    Ok(ExitCode::SUCCESS)
}
