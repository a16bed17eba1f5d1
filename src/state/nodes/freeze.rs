//! Have so many nodes gone silent that the fault is more likely ours than theirs?
//!
//! To know, every node must be looked at, and while one is silent each pick wants to know. Of a large fleet the answer is kept
//! for a moment.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use super::{node::Node, trust::Presence};
use crate::domain::{policy::FreshnessPolicy, time::Instant};

/// A fleet of no more nodes is looked at each time.
const SMALL: usize = 64;
/// How long the answer for a larger one holds.
const HOLDS: Duration = Duration::from_millis(10);

/// The last answer: when it was found, in nanoseconds, and in the lowest bit what it was. 0 before the first.
#[derive(Debug, Default)]
pub(super) struct Freeze(AtomicU64);

impl Freeze {
    /// The answer for these nodes.
    pub(super) fn is_on(&self, nodes: &[Arc<Node>], policy: &FreshnessPolicy, now: Instant) -> bool {
        let last = self.0.load(Relaxed);
        if nodes.len() > SMALL && last != 0 && now.since(Instant::from_nanos(last & !1)) < HOLDS {
            return last & 1 == 1;
        }
        let is_on = most_are_silent(nodes, policy, now);
        self.0.store((now.as_nanos() & !1) | u64::from(is_on), Relaxed);
        is_on
    }
}

/// Nodes that are known to be gone do not count: their silence is explained.
fn most_are_silent(nodes: &[Arc<Node>], policy: &FreshnessPolicy, now: Instant) -> bool {
    let (mut attended, mut silent) = (0_usize, 0_usize);
    for node in nodes {
        let trust = node.live.vitals().trust;
        match trust.at(now) {
            Presence::Gone => {}
            _ if !trust.is_attended() => {}
            presence => {
                attended += 1;
                silent += usize::from(presence == Presence::Silent);
            }
        }
    }
    attended >= policy.freeze_nodes_min && silent as f64 > attended as f64 * policy.freeze_share.get()
}

#[cfg(test)]
mod tests;
