//! Everything remembered: in memory, synchronous, bounded.

use std::time::Duration;

pub mod leases;
pub mod limits;
pub mod nodes;
pub mod pools;

use crate::domain::{
    digest::Digester,
    outcome::{Outcome, OutcomeResult, OutcomeTokens},
    policy::Policy,
    time::Instant,
};
use leases::{LeaseTable, Settled};
use limits::{Limits, Reservation};
use nodes::{NodeTable, Swept};
use pools::PoolTable;

/// What decisions read and `record` writes.
#[derive(Debug, Default)]
pub struct State {
    /// What everyone has asked for lately.
    pub limits: Limits,
    /// Pools that are busy.
    pub pools: PoolTable,
    /// The fleet.
    pub nodes: NodeTable,
    /// Picks that are in flight.
    pub leases: LeaseTable,
}

impl State {
    /// How often [`sweep`](Self::sweep) must be called for expiries to be at most this late.
    pub const SWEEP_INTERVAL: Duration = Duration::from_millis(500);

    /// Remembers nothing yet. The secret keeps those who choose names from making two keys meet.
    pub fn with_secret(secret: u128) -> Self {
        let digester = Digester::with_secret(secret);
        Self { limits: Limits::new(digester), ..Self::default() }
    }

    /// Takes in how a request went: its lease ends, its node is judged, its tokens are settled.
    pub fn settle(&self, outcome: &Outcome, policy: &Policy, now: Instant) -> Settled {
        let mut settled = self.leases.settle(outcome, policy, now);
        if let Some(reserved) = settled.tokens.take() {
            self.settle_tokens(reserved, outcome, policy, now);
        }
        settled
    }

    /// A request that has failed and does not tell what it used is taken to have used nothing, any other what was
    /// expected of it.
    fn settle_tokens(&self, reserved: Reservation, outcome: &Outcome, policy: &Policy, now: Instant) {
        let OutcomeTokens { input, output, .. } = outcome.tokens;
        let failed = matches!(outcome.result, OutcomeResult::Failed | OutcomeResult::Overloaded);
        match (input, output) {
            (None, None) if failed => self.limits.cancel(reserved, now),
            (None, None) => {}
            (input, output) => {
                let used = u64::from(input.unwrap_or(0)) + u64::from(output.unwrap_or(0));
                self.limits.settle(reserved, used, &policy.limits, now);
            }
        }
    }

    /// Lets go of what has had its time: expired leases, idle quotas and pools, forgotten nodes.
    pub fn sweep(&self, policy: &Policy, now: Instant) -> Swept {
        self.leases.sweep(&policy.leases, now);
        self.limits.sweep(now);
        self.pools.sweep(now);
        self.nodes.sweep(&policy.freshness, now)
    }
}
