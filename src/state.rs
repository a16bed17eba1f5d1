//! Everything remembered: in memory, synchronous, bounded.

use std::time::Duration;

pub mod answers;
pub mod leases;
pub mod nodes;

use crate::domain::{policy::Policy, time::Instant};
use leases::LeaseTable;
use nodes::{NodeTable, Swept};

/// What decisions read and `record` writes.
#[derive(Debug, Default)]
pub struct State {
    /// The fleet.
    pub nodes: NodeTable,
    /// Picks that are in flight.
    pub leases: LeaseTable,
}

impl State {
    /// How often [`sweep`](Self::sweep) must be called for expiries to be at most this late.
    pub const SWEEP_INTERVAL: Duration = Duration::from_millis(500);

    /// Lets go of what has had its time: expired leases, forgotten nodes.
    pub fn sweep(&self, policy: &Policy, now: Instant) -> Swept {
        self.leases.sweep(&policy.leases, now);
        self.nodes.sweep(&policy.freshness, now)
    }
}
