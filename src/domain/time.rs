//! What time it is and what chance says, as values: the core is handed both and never asks for them.

use std::{ops::Add, time::Duration};

/// The seeded generator that decisions draw from.
pub type Chance = fastrand::Rng;

/// A moment of monotonic time, in nanoseconds since the process (or the simulation) began.
///
/// A plain number so that it fits an atomic; 584 years wide. Arithmetic saturates: a clock that misbehaves
/// changes an age, never panics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Instant(u64);

impl Instant {
    /// The beginning of time.
    pub const ZERO: Self = Self(0);
    /// Later than every moment that is ever reached.
    pub const NEVER: Self = Self(u64::MAX);

    /// The moment so long after the beginning.
    pub fn after_start(elapsed: Duration) -> Self {
        Self(nanos(elapsed))
    }

    /// The moment with this number of nanoseconds.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the beginning.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// The moment so long ago; the beginning where that is longer ago.
    #[must_use]
    pub fn before(self, ago: Duration) -> Self {
        Self(self.0.saturating_sub(nanos(ago)))
    }

    /// Time since `earlier`; zero if that lies ahead.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Instant {
    type Output = Self;

    fn add(self, after: Duration) -> Self {
        Self(self.0.saturating_add(nanos(after)))
    }
}

/// A duration in nanoseconds; longer than 584 years is as good as that.
pub fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
