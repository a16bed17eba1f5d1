//! Everything remembered: in memory, synchronous, bounded.

use std::time::Duration;

pub mod answers;
pub mod demand;
pub mod leases;
pub mod limits;
pub mod nodes;
pub mod pools;

use crate::domain::{
    answer::policy::AnswerPolicy,
    digest::{Digest, Digester},
    id::{TenantId, UserId},
    outcome::{Outcome, OutcomeResult, OutcomeTokens},
    policy::Policy,
    prefix::{KvEvents, PrefixPolicy},
    time::Instant,
};
use answers::Answers;
use demand::Demand;
use leases::{Holds, LeaseTable, Served, Settled};
use limits::{Limits, Reservation};
use nodes::{NodeTable, Session, Swept};
use pools::PoolTable;

/// What decisions read and `record` writes.
#[derive(Debug)]
pub struct State {
    digester: Digester,
    /// Answers that are known, or on their way.
    pub answers: Answers,
    /// What everyone has asked for lately.
    pub limits: Limits,
    /// What is asked of each pool.
    pub demand: Demand,
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

    /// Remembers nothing yet. The secret keeps those who choose names from making two keys meet. Answers take at most so
    /// many bytes.
    pub fn new(secret: u128, answer_bytes_max: u64) -> Self {
        let digester = Digester::with_secret(secret);
        Self {
            answers: Answers::new(digester, answer_bytes_max),
            limits: Limits::new(digester),
            digester,
            demand: Demand::default(),
            leases: LeaseTable::new(digester),
            nodes: NodeTable::default(),
            pools: PoolTable::default(),
        }
    }

    /// What makes the digests of all that is remembered here.
    pub fn digester(&self) -> Digester {
        self.digester
    }

    /// Stands for a user of a tenant, or for all of its users that are not named.
    pub fn user(&self, tenant: &TenantId, user: Option<&UserId>) -> Digest {
        self.digester.digest(tenant, &user)
    }

    /// Takes in how a request went: its lease ends, its node is judged, its tokens are settled, and those who wait for its
    /// answer learn whether one will come.
    pub fn settle(&self, outcome: &Outcome, policy: &Policy, now: Instant) -> Settled {
        let mut settled = self.leases.settle(outcome, policy, now);
        if let Some(served) = &settled.served {
            self.learn(served, outcome, policy);
        }
        if let Some(leadership) = settled.holds.leadership {
            self.answers.settle(leadership, outcome.result, &policy.answers, now);
        }
        if let Some((leadership, until)) = settled.renewed {
            self.answers.renew(leadership, until);
        }
        if let Some(reserved) = settled.holds.tokens.take() {
            self.settle_tokens(reserved, outcome, policy, now);
        }
        settled
    }

    /// Takes in what an outcome tells of prompts and answers: what the node turned out not to have, and how long the
    /// answer was.
    fn learn(&self, served: &Served, outcome: &Outcome, policy: &Policy) {
        if let (true, Some(cached), Some(occupancy)) =
            (served.has_begun, outcome.tokens.cached, &served.node.live.occupancy)
        {
            occupancy.correct(served.expected_blocks, policy.prefixes.blocks_of(u64::from(cached) + 1));
        }
        if let Some(output) = outcome.tokens.output.filter(|_| outcome.result == OutcomeResult::Ok) {
            self.demand.observe_output(&served.pool, output);
        }
    }

    /// Takes in what an agent's stream tells of its node's cache.
    pub fn hear_cache(&self, session: &Session, events: &KvEvents, policy: &PrefixPolicy, now: Instant) {
        self.nodes.hear_cache(session, events, self.digester, policy, now);
    }

    /// Lets go of what a request holds without having used it.
    pub fn release(&self, holds: Holds, policy: &AnswerPolicy, now: Instant) {
        if let Some(leadership) = holds.leadership {
            self.answers.settle(leadership, OutcomeResult::Cancelled, policy, now);
        }
        if let Some(reserved) = holds.tokens {
            self.limits.cancel(reserved, now);
        }
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

    /// Lets go of what has had its time: expired leases, answers nobody waits for, idle quotas and pools, forgotten nodes.
    pub fn sweep(&self, policy: &Policy, now: Instant) -> Swept {
        self.leases.sweep(&policy.leases, now);
        self.answers.sweep(now);
        self.limits.sweep(now);
        self.pools.sweep(now);
        self.demand.sweep(now);
        self.nodes.sweep(&policy.freshness, now)
    }
}

/// Without a secret, as tests and simulations want it.
impl Default for State {
    fn default() -> Self {
        Self::new(0, AnswerPolicy::default().bytes_max)
    }
}
