//! Has this node failed so much that requests should stay away, and when may one try it again?
//!
//! Two signals open the breaker: failures in a row (a dead node, found within a few requests) and a low success
//! ratio over a window with a minimum of samples (a sick node, whose successes reset every run of failures). A refusal for
//! overload counts for the ratio alone: it is no sign of a broken node.
//!
//! An open breaker turns half-open by the clock, without a timer: `Open` whose time is over *is* half-open. Then one
//! request at a time tries the node. A success (or the first token of an answer that is still running) closes the
//! breaker and starts the slow return; a failure opens it again for twice as long. Only requests picked since it turned
//! half-open decide that, and none that was picked earlier opens it again: those tell of the time before.

use std::time::Duration;

use crate::{
    domain::{node::BreakerState, policy::BreakerPolicy, time::Instant},
    learn::window::SuccessWindow,
};

/// Smallest share of its capacity that a returning node is given.
const SLOW_START_FLOOR: f64 = 0.1;

/// A circuit breaker.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Breaker {
    window: SuccessWindow,
    failures_in_a_row: u32,
    /// Times that it opened without staying closed in between.
    trips: u32,
    phase: Phase,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Phase {
    /// Closed, and if it ever was open, since when.
    Closed { returned: Option<Returned> },
    /// Open until this moment, half-open from it on.
    Open { until: Instant },
}

/// How a breaker came to be closed again.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Returned {
    /// When it closed.
    at: Instant,
    /// When it had turned half-open.
    half_open: Instant,
}

/// What one finished request says of its node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// It works.
    Good,
    /// It is broken.
    Bad,
    /// It has too much to do.
    Overloaded,
}

impl Breaker {
    /// A closed breaker.
    pub fn new(policy: &BreakerPolicy) -> Self {
        Self {
            window: SuccessWindow::new(policy.window),
            failures_in_a_row: 0,
            trips: 0,
            phase: Phase::Closed { returned: None },
        }
    }

    /// The state.
    pub fn at(&self, now: Instant) -> BreakerState {
        match self.phase {
            Phase::Closed { .. } => BreakerState::Closed,
            Phase::Open { until } if now < until => BreakerState::Open,
            Phase::Open { .. } => BreakerState::HalfOpen,
        }
    }

    /// When it turns half-open if it is open.
    pub fn turns_after(&self, now: Instant) -> Option<Instant> {
        match self.phase {
            Phase::Open { until } if now < until => Some(until),
            _ => None,
        }
    }

    /// Whether any failure is remembered.
    pub fn has_failures(&self) -> bool {
        self.window.has_failures()
    }

    /// Time until it may be tried; zero unless open.
    pub fn opens_in(&self, now: Instant) -> Duration {
        match self.phase {
            Phase::Closed { .. } => Duration::ZERO,
            Phase::Open { until } => until.since(now),
        }
    }

    /// Share of recent requests that failed, from 0 to 1.
    pub fn failure_ratio(&self, now: Instant) -> f64 {
        // Most nodes have not failed lately, and picks ask for each.
        if self.window.has_failures() { self.window.at(now).failure_ratio() } else { 0.0 }
    }

    /// Share of its capacity that the node is given: grows from a tenth to 1 over the slow start.
    pub fn slow_start(&self, policy: &BreakerPolicy, now: Instant) -> f64 {
        let Phase::Closed { returned: Some(returned) } = self.phase else { return 1.0 };
        let share = now.since(returned.at).as_secs_f64() / policy.slow_start.as_secs_f64().max(f64::EPSILON);
        share.clamp(SLOW_START_FLOOR, 1.0)
    }

    /// Takes in what a request that was picked at `picked` says of the node.
    pub fn observe(&mut self, policy: &BreakerPolicy, now: Instant, picked: Instant, signal: Signal) {
        match self.phase {
            Phase::Closed { returned: Some(returned) } if picked < returned.half_open => {}
            Phase::Closed { returned } => self.observe_closed(policy, now, signal, returned),
            Phase::Open { until } if picked >= until => self.observe_trial(policy, now, signal, until),
            Phase::Open { .. } => {}
        }
    }

    /// Takes in that a request that was picked at `picked` has begun to be answered: as a trial it has succeeded.
    pub fn observe_first_token(&mut self, policy: &BreakerPolicy, now: Instant, picked: Instant) {
        if let Phase::Open { until } = self.phase
            && picked >= until
        {
            self.close(policy, now, until);
        }
    }

    /// A node that was silent gives a sign of life: an open breaker may be tried at once. How long it stays open is a guess
    /// for nodes that give no such sign.
    pub fn heard_again(&mut self, now: Instant) {
        if let Phase::Open { until } = &mut self.phase {
            *until = (*until).min(now);
            self.trips = 0;
        }
    }

    fn observe_closed(
        &mut self,
        policy: &BreakerPolicy,
        now: Instant,
        signal: Signal,
        returned: Option<Returned>,
    ) {
        self.window.observe(now, signal == Signal::Good);
        match signal {
            Signal::Good => self.failures_in_a_row = 0,
            Signal::Bad => self.failures_in_a_row = self.failures_in_a_row.saturating_add(1),
            Signal::Overloaded => {}
        }
        // A node that has stayed well for the longest ejection has earned a short one again.
        if returned.is_some_and(|returned| now.since(returned.at) > policy.open_for_max) {
            self.trips = 0;
        }
        if self.trips_now(policy, now) {
            self.open(policy, now);
        }
    }

    fn trips_now(&self, policy: &BreakerPolicy, now: Instant) -> bool {
        if self.failures_in_a_row >= policy.consecutive_failures.get() {
            return true;
        }
        let counts = self.window.at(now);
        let success_ratio = 1.0 - counts.failure_ratio();
        counts.total() >= policy.samples_min.get() && success_ratio < policy.success_ratio_min.get()
    }

    fn observe_trial(&mut self, policy: &BreakerPolicy, now: Instant, signal: Signal, half_open: Instant) {
        match signal {
            Signal::Good => self.close(policy, now, half_open),
            Signal::Bad => self.open(policy, now),
            Signal::Overloaded => {}
        }
    }

    fn open(&mut self, policy: &BreakerPolicy, now: Instant) {
        let doubled = policy.open_for.saturating_mul(1 << self.trips.min(16));
        self.phase = Phase::Open { until: now + doubled.min(policy.open_for_max) };
        self.trips = self.trips.saturating_add(1);
    }

    fn close(&mut self, policy: &BreakerPolicy, now: Instant, half_open: Instant) {
        self.window = SuccessWindow::new(policy.window);
        self.failures_in_a_row = 0;
        self.phase = Phase::Closed { returned: Some(Returned { at: now, half_open }) };
    }
}

#[cfg(test)]
mod tests;
