//! What is a quantity now, when it comes as single, noisy samples?
//!
//! Two moving averages whose weights fall with age: `w = exp(-age / tau)`. [`Ewma`] is the plain one, for what to
//! expect. [`PeakEwma`] jumps up at once and comes down slowly, for what to be careful about; it follows the
//! estimator of Finagle's `PeakEwma` balancer, except that reading it has no effect.

use std::time::Duration;

use crate::domain::time::Instant;

/// Mean of recent samples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ewma {
    tau: Duration,
    last: Option<(f64, Instant)>,
}

impl Ewma {
    /// An estimator that has seen nothing; a sample of age `tau` weighs 1/e of a new one.
    pub const fn new(tau: Duration) -> Self {
        Self { tau, last: None }
    }

    /// Takes in a sample. At least a tenth of it counts, so that a burst of samples at one moment is not
    /// represented by its first alone.
    pub fn observe(&mut self, now: Instant, sample: f64) {
        let mean = self.last.map_or(sample, |(mean, at)| {
            let keep = weight(now.since(at), self.tau).min(0.9);
            mean * keep + sample * (1.0 - keep)
        });
        self.last = Some((mean, now));
    }

    /// The mean; `None` before the first sample. Does not fade: no news is no change.
    pub fn at(&self, _now: Instant) -> Option<f64> {
        self.last.map(|(mean, _)| mean)
    }
}

/// Recent peak of the samples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PeakEwma {
    tau: Duration,
    peak: f64,
    observed: Instant,
}

impl PeakEwma {
    /// An estimator at zero; it falls to 1/e within `tau`.
    pub const fn new(tau: Duration) -> Self {
        Self { tau, peak: 0.0, observed: Instant::ZERO }
    }

    /// Takes in a sample: a higher one at once, a lower one by its age.
    pub fn observe(&mut self, now: Instant, sample: f64) {
        let keep = weight(now.since(self.observed), self.tau);
        let settled = self.peak * keep + sample * (1.0 - keep);
        self.peak = settled.max(sample);
        self.observed = now;
    }

    /// The peak, faded by the time since the last sample, so that a node once slow is tried again.
    pub fn at(&self, now: Instant) -> f64 {
        self.peak * weight(now.since(self.observed), self.tau)
    }
}

fn weight(age: Duration, tau: Duration) -> f64 {
    (-age.as_secs_f64() / tau.as_secs_f64()).exp()
}

#[cfg(test)]
mod tests;
