//! How many requests does a node hold for its capacity?

use crate::state::nodes::reading::Reading;

/// Unfinished requests (reported and since picked, or sent by us if that is more) per share of capacity.
pub fn cost(reading: &Reading) -> f64 {
    let told = u64::from(reading.told.running.unwrap_or(0)) + u64::from(reading.told.waiting.unwrap_or(0));
    let reported = told + u64::from(reading.counts.unseen);
    let held = reported.max(u64::from(reading.counts.in_flight));
    held as f64 / reading.share()
}
