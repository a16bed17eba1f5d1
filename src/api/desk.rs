//! What every service shares: the state, the policy in force, the clock and the seed.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use arc_swap::{ArcSwap, Guard};
use tokio::{
    sync::{Notify, Semaphore},
    time::timeout_at,
};

use crate::{
    domain::{
        decision::Decision,
        outcome::Outcome,
        policy::Policy,
        request::RouteRequest,
        time::{Chance, Instant},
    },
    route::{self, Turn},
    state::{State, leases::Settled, nodes::Swept},
};

/// How often a waiting pick looks again, besides when a node comes or returns.
const WAIT_STEP: Duration = Duration::from_millis(100);

/// Where requests are decided.
#[derive(Debug)]
pub struct Desk {
    /// Everything remembered.
    pub state: State,
    policy: ArcSwap<Policy>,
    clock: Clock,
    seed: u64,
    turns: AtomicU64,
    /// Rings when a rejected pick may fare better.
    changed: Notify,
    /// A permit for each pick that waits.
    waiting: Semaphore,
    waiting_max: usize,
}

impl Desk {
    /// A desk with an empty state. At most `waiting_max` picks wait at once. The seed makes chance repeatable.
    pub fn new(policy: Policy, waiting_max: usize, seed: u64) -> Self {
        let waiting_max = waiting_max.min(Semaphore::MAX_PERMITS);
        Self {
            state: State::default(),
            policy: ArcSwap::from_pointee(policy),
            clock: Clock::start(),
            seed,
            turns: AtomicU64::new(0),
            changed: Notify::new(),
            waiting: Semaphore::new(waiting_max),
            waiting_max,
        }
    }

    /// The time.
    pub fn now(&self) -> Instant {
        self.clock.now()
    }

    /// The policy in force.
    pub fn policy(&self) -> Guard<Arc<Policy>> {
        self.policy.load()
    }

    /// Picks that wait now.
    pub fn waiting(&self) -> usize {
        self.waiting_max - self.waiting.available_permits()
    }

    /// Puts a policy in force: the next decision reads it whole.
    pub fn set_policy(&self, policy: Policy) {
        self.policy.store(Arc::new(policy));
        self.announce_change();
    }

    /// Wakes the picks that wait: a node came, returned or changed.
    pub fn announce_change(&self) {
        self.changed.notify_waiters();
    }

    /// Decides at once.
    pub fn decide(&self, request: &RouteRequest) -> Decision {
        route::decide(request, &self.state, &self.policy(), &mut self.turn())
    }

    /// Decides at once or, where a rejection may pass, within the time that the caller is willing to wait.
    pub async fn decide_within(&self, request: &RouteRequest, max_wait: Duration) -> Decision {
        let decision = self.decide(request);
        if max_wait.is_zero() || !is_passing(&decision) {
            return decision;
        }
        // Nobody is refused for want of a place to wait: they get their answer now.
        let Ok(_place) = self.waiting.try_acquire() else { return decision };
        let waited = tokio::time::timeout(max_wait, self.decide_when_possible(request));
        waited.await.unwrap_or(decision)
    }

    async fn decide_when_possible(&self, request: &RouteRequest) -> Decision {
        loop {
            let look_again = tokio::time::Instant::now() + WAIT_STEP;
            let _ = timeout_at(look_again, self.changed.notified()).await;
            let decision = self.decide(request);
            if !is_passing(&decision) {
                return decision;
            }
        }
    }

    /// Says what would be decided, and why.
    pub fn explain(&self, request: &RouteRequest) -> Decision {
        route::explain(request, &self.state, &self.policy(), &mut self.turn())
    }

    /// Takes in how a request went.
    pub fn settle(&self, outcome: &Outcome) -> Settled {
        let settled = self.state.settle(outcome, &self.policy(), self.now());
        if settled.breaker.is_some() {
            self.announce_change();
        }
        settled
    }

    /// Lets go of what has had its time.
    pub fn sweep(&self) -> Swept {
        self.state.sweep(&self.policy(), self.now())
    }

    /// Each turn has its own generator, so that no decision depends on how many draws another one made.
    fn turn(&self) -> Turn {
        let number = self.turns.fetch_add(1, Relaxed);
        let seed = self.seed ^ number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        Turn { now: self.now(), chance: Chance::with_seed(seed) }
    }
}

/// Whether it is a rejection that may not last.
fn is_passing(decision: &Decision) -> bool {
    decision.outcome.as_ref().is_err_and(|rejection| rejection.retry_delay.is_some())
}

/// Monotonic time since the start. Tests pause it with tokio's.
#[derive(Debug, Clone, Copy)]
struct Clock {
    started: tokio::time::Instant,
}

impl Clock {
    fn start() -> Self {
        Self { started: tokio::time::Instant::now() }
    }

    fn now(self) -> Instant {
        Instant::after_start(self.started.elapsed())
    }
}
