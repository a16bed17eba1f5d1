//! How does a benchmark say what it found, and what was it asked for?

use std::env;

/// Anything that ends a benchmark.
pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Whether this stands among the arguments.
pub(crate) fn is_asked(argument: &str) -> bool {
    env::args().any(|given| given == argument)
}

/// One line to standard output.
#[expect(clippy::print_stdout, reason = "what it is for")]
pub(crate) fn say(line: &str) {
    println!("{line}");
}
