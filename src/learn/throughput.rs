//! How much work does a node do in a millisecond?
//!
//! The work of recent samples over the time that it took. A ratio of sums, not a mean of ratios: short samples, whose
//! overhead weighs more, count for less. *Work*, never tokens: a node that computes cold prompts does more tokens a
//! second than one that serves long cached contexts, so tokens would make the node that thrashes look fast.

use std::time::Duration;

use crate::domain::time::Instant;

/// A sample of this age weighs 1/e of a new one: a slow node is noticed within seconds, and forgiven as soon.
const TAU: Duration = Duration::from_secs(20);
/// Less work than this, altogether, says nothing yet.
const WORK_MIN: f64 = 2000.0;
/// What is taken off each sample: sending the request and the token, in milliseconds.
const OVERHEAD_MS: f64 = 16.0;

/// Work a millisecond, over the last while.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Throughput {
    work: f64,
    ms: f64,
    at: Instant,
}

impl Throughput {
    /// Takes in that so much work took so long. The least time that counts is a millisecond.
    pub fn observe(&mut self, now: Instant, work: f64, took: Duration) {
        let keep = (-now.since(self.at).as_secs_f64() / TAU.as_secs_f64()).exp();
        self.work = self.work * keep + work;
        self.ms = self.ms * keep + (took.as_secs_f64() * 1000.0 - OVERHEAD_MS).max(1.0);
        self.at = now;
    }

    /// Work a millisecond; `None` before there was enough of it to tell.
    pub fn get(&self) -> Option<f64> {
        (self.work >= WORK_MIN).then(|| self.work / self.ms)
    }
}

#[cfg(test)]
mod tests;
