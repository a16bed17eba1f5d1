//! What time is it? The one place where benchmarks ask.

use std::time::Instant;

/// Now.
#[expect(clippy::disallowed_methods, reason = "what benchmarks are for")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Nanoseconds since then.
pub(crate) fn nanos_since(start: Instant) -> u64 {
    u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX)
}
