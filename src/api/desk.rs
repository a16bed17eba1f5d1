//! What every service shares: the state, the policy in force, the clock and the seed; and where picks wait.

mod gate;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use arc_swap::{ArcSwap, Guard};
use tracing::info;

use super::queue::{Attempt, Queue, Tried};
use crate::{
    domain::{
        answer::{AnswerKey, Lifetime, NewAnswer, StoreRefusal},
        decision::{CachedAnswer, Decision, Granted},
        outcome::{Outcome, OutcomeResult},
        policy::Policy,
        request::{Patience, RouteRequest},
        time::{Chance, Instant},
    },
    route::{self, Turn},
    state::{State, leases::Settled, nodes::Swept},
};
use gate::Gate;

/// Where requests are decided.
#[derive(Debug)]
pub struct Desk {
    /// Everything remembered.
    pub state: State,
    policy: ArcSwap<Policy>,
    clock: Clock,
    seed: u64,
    turns: AtomicU64,
    queue: Queue<Gate>,
}

impl Desk {
    /// A desk with an empty state. At most `waiting_max` picks wait at once. The seed makes chance repeatable; the secret
    /// makes keys unforeseeable.
    pub fn new(policy: Policy, waiting_max: usize, seed: u64, secret: u128) -> Self {
        Self {
            state: State::new(secret, policy.answers.bytes_max),
            policy: ArcSwap::from_pointee(policy),
            clock: Clock::start(),
            seed,
            turns: AtomicU64::new(0),
            queue: Queue::new(waiting_max),
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
        self.queue.waiting()
    }

    /// Puts a policy in force: the next decision reads it whole.
    pub fn set_policy(&self, policy: Policy) {
        self.policy.store(Arc::new(policy));
        self.announce_change();
    }

    /// Tells the picks that wait: a node came, returned or changed.
    pub fn announce_change(&self) {
        self.queue.announce_all();
    }

    /// Decides at once.
    pub fn decide(&self, request: &RouteRequest) -> Decision {
        let decision = route::decide(request, &self.state, &self.policy(), &mut self.turn());
        if let Some(pool) = &decision.turned {
            let (model, load) = (&pool.key.model, pool.load);
            info!(request_type = ?pool.key.request_type, %model, rung = ?pool.rung, load, "pool changed its rung");
        }
        decision
    }

    /// Decides at once or, where a rejection may pass, within the time that the caller is willing to wait.
    pub async fn decide_within(&self, request: &RouteRequest, max_wait: Duration) -> Decision {
        if max_wait.is_zero() {
            return self.decide(request);
        }
        let deadline = tokio::time::Instant::now() + max_wait;
        let decided = self.decide_in_turn(request, deadline).await;
        decided.unwrap_or_else(|| self.decide_at_last(request))
    }

    /// Decides in turn with those who wait for the same; `None` where there is no place to wait, or no time left.
    async fn decide_in_turn(
        &self,
        request: &RouteRequest,
        deadline: tokio::time::Instant,
    ) -> Option<Decision> {
        let since = self.queue.moment();
        let mut follows = false;
        let mut attempt = || self.attempt(request, &mut follows);
        let (gate, tried) = match self.line_ahead(request) {
            Some(gate) => (gate, Tried::Never),
            None => match attempt() {
                Attempt::Final(decision) => return Some(decision),
                Attempt::Passing { gate, retry_at } => (gate, Tried::Refused { since, retry_at }),
            },
        };
        let user = self.state.user(&request.key.tenant, request.user.as_ref());
        let place = self.queue.enter(gate, request.rank(), user, tried).ok()?;
        place.decided(deadline, attempt).await.ok()
    }

    /// The line of those whom the request would overtake if it were decided now.
    fn line_ahead(&self, request: &RouteRequest) -> Option<Gate> {
        if self.queue.waiting() == 0 {
            return None;
        }
        let policy = self.policy();
        Gate::ahead(request, &policy.limits).find(|gate| self.queue.is_behind(gate, request.rank()))
    }

    /// One try of a pick that waits. `follows` remembers whether it waited for an identical request.
    fn attempt(&self, request: &RouteRequest, follows: &mut bool) -> Attempt<Gate, Decision> {
        let mut decision = self.decide(request);
        if let Ok(Granted::Answer(CachedAnswer { stale: false, coalesced, .. })) = &mut decision.outcome {
            *coalesced = *follows;
            if *follows {
                self.state.answers.count_coalesced();
            }
        }
        let attempt = gate::attempt(request, decision);
        *follows |= matches!(attempt, Attempt::Passing { gate: Gate::Answer(_), .. });
        attempt
    }

    /// Decides for a caller that waits no longer. A refusal takes nothing from those who still wait.
    pub fn decide_at_last(&self, request: &RouteRequest) -> Decision {
        let last = RouteRequest { patience: Patience::Exhausted, ..request.clone() };
        let seen = self.explain(&last);
        if seen.outcome.is_ok() {
            return self.decide(&last);
        }
        Decision { explanation: seen.explanation.filter(|_| request.explain), ..seen }
    }

    /// Says what would be decided, and why.
    pub fn explain(&self, request: &RouteRequest) -> Decision {
        route::explain(request, &self.state, &self.policy(), &mut self.turn())
    }

    /// Takes in how a request went, and tells those who waited for it to end.
    pub fn settle(&self, outcome: &Outcome) -> Settled {
        let settled = self.state.settle(outcome, &self.policy(), self.now());
        if settled.breaker.is_some() {
            self.announce_change();
        }
        if outcome.result != OutcomeResult::Running && self.waiting() > 0 {
            if let Some((pool, class)) = &settled.freed {
                self.queue.announce(&Gate::Room(pool.clone(), *class));
                self.queue.announce(&Gate::Lease);
            }
            self.queue.announce(&Gate::Answer(outcome.key.clone()));
        }
        settled
    }

    /// Keeps an answer, and gives it to those who wait for it.
    pub fn store(&self, key: &AnswerKey, answer: &NewAnswer) -> Result<Lifetime, StoreRefusal> {
        let Turn { now, mut chance } = self.turn();
        let leader = self.state.answers.pending(&self.state.answers.question(key), now);
        let stored = self.state.answers.store(key, answer, &self.policy().answers, now, &mut chance);
        if let Some(leader) = leader {
            self.queue.announce(&Gate::Answer(leader.request));
        }
        stored
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
