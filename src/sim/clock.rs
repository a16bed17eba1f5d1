//! Virtual time: whole microseconds since the beginning.

use std::time::Duration;

/// A span in microseconds.
pub(super) fn micros(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
}

/// A number of microseconds, rounded; 0 for what is negative or no number.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates")]
pub(super) fn rounded(us: f64) -> u64 {
    us.round() as u64
}
