//! Starts the command line; everything else lives in the library.

use std::process::ExitCode;

use mimalloc::MiMalloc;

/// A tenth less processor time for a pick than with the system's.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    pointsman::cli::run()
}
