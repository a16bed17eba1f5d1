//! How fast does a load fall, and when will it have fallen far enough?
//!
//! The mean slope over the last few seconds. Samples come as often as requests do, so they are taken up at most ten
//! times a second: a slope over less is noise.

use std::time::Duration;

use super::ewma::Ewma;
use crate::domain::time::Instant;

/// Over how long slopes are remembered.
const TAU: Duration = Duration::from_secs(3);
/// Shortest span over which a slope is taken.
const SPAN_MIN: Duration = Duration::from_millis(100);

/// Learns how fast a load falls.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Drain {
    last: Option<(Instant, f64)>,
    /// Falls in the load a second; negative while it rises.
    rate: Ewma,
}

impl Default for Drain {
    fn default() -> Self {
        Self { last: None, rate: Ewma::new(TAU) }
    }
}

impl Drain {
    /// Takes in the load at a moment.
    pub fn observe(&mut self, now: Instant, load: f64) {
        let Some((at, before)) = self.last else {
            self.last = Some((now, load));
            return;
        };
        let span = now.since(at);
        if span >= SPAN_MIN {
            self.rate.observe(now, (before - load) / span.as_secs_f64());
            self.last = Some((now, load));
        }
    }

    /// Time until the load will have fallen to `target`; `None` while it does not fall.
    pub fn time_to(&self, target: f64, now: Instant) -> Option<Duration> {
        let (_, load) = self.last?;
        let rate = self.rate.at(now).filter(|rate| *rate > 0.0)?;
        Duration::try_from_secs_f64((load - target).max(0.0) / rate).ok()
    }
}

#[cfg(test)]
mod tests;
