//! From which distributions are lengths and times drawn?

use std::{f64::consts::TAU, time::Duration};

use crate::domain::time::Chance;

/// The normal distribution's 99th percentile.
const Z99: f64 = 2.326_347_874;

/// Many small ones and few very large ones: how prompts and answers are long.
#[derive(Debug, Clone, Copy)]
pub(super) struct LogNormal {
    mu: f64,
    sigma: f64,
}

impl LogNormal {
    /// The one with this mean and 99th percentile.
    ///
    /// From `ln mean = mu + sigma² / 2` and `ln p99 = mu + Z99 · sigma`. Of the two solutions the narrower one is
    /// meant. A 99th percentile over 15 times the mean is out of reach; the widest that there is stands in.
    pub(super) fn of(mean: f64, p99: f64) -> Self {
        let distance = (p99 / mean).ln();
        let sigma = Z99 - (Z99 * Z99 - 2.0 * distance).max(0.0).sqrt();
        Self { mu: mean.ln() - sigma * sigma / 2.0, sigma }
    }

    /// Draws one.
    pub(super) fn draw(self, rng: &mut Chance) -> f64 {
        (self.mu + self.sigma * normal(rng)).exp()
    }

    /// Draws a number of tokens, from 1 to `max`.
    pub(super) fn tokens(self, max: u32, rng: &mut Chance) -> u32 {
        whole(self.draw(rng).clamp(1.0, f64::from(max)))
    }
}

/// Gaps between arrivals that come in bursts: mostly short ones, now and then a very long one.
///
/// Two exponential distributions with balanced means, the usual one for a coefficient of variation above 1
/// (Whitt, "Approximating a point process by a renewal process", Operations Research 30, 1982).
#[derive(Debug, Clone, Copy)]
pub(super) struct Bursty {
    mean: f64,
    short: f64,
}

impl Bursty {
    /// Gaps with this mean in seconds and coefficient of variation, at least 1.
    pub(super) fn of(mean: f64, variation: f64) -> Self {
        let squared = variation * variation;
        Self { mean, short: f64::midpoint(1.0, ((squared - 1.0) / (squared + 1.0)).max(0.0).sqrt()) }
    }

    /// Draws one.
    pub(super) fn draw(self, rng: &mut Chance) -> Duration {
        let share = if rng.f64() < self.short { self.short } else { 1.0 - self.short };
        exponential(self.mean / (2.0 * share), rng)
    }
}

/// Draws a gap of memoryless arrivals with this mean in seconds.
pub(super) fn exponential(mean: f64, rng: &mut Chance) -> Duration {
    Duration::from_secs_f64(-mean * (1.0 - rng.f64()).ln())
}

/// Box and Muller's.
fn normal(rng: &mut Chance) -> f64 {
    let radius = (-2.0 * (1.0 - rng.f64()).ln()).sqrt();
    radius * (TAU * rng.f64()).cos()
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to the range of `u32` before"
)]
fn whole(number: f64) -> u32 {
    number.round() as u32
}
