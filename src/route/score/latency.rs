//! How long will a request take on a node?
//!
//! `cost = latency · (in flight + 1) / share`, with the peak-sensitive latency of [`PeakEwma`]: the cost of Finagle's
//! and Linkerd's `PeakEwma` balancers.
//!
//! [`PeakEwma`]: crate::learn::ewma::PeakEwma

use crate::domain::time::Instant;
use crate::state::nodes::reading::Reading;

/// Seconds that a node is taken to need at least, so that an unknown one still costs more with each pick.
const LATENCY_FLOOR: f64 = 0.001;

/// Expected seconds for the queue and one more.
pub fn cost(reading: &Reading, now: Instant) -> f64 {
    let ahead = f64::from(reading.counts.in_flight) + 1.0;
    reading.latency.at(now).max(LATENCY_FLOOR) * ahead / reading.share()
}
