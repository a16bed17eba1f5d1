//! Does one more fit, and what is left if it does?
//!
//! The generic cell rate algorithm, tested by `governor`. A key's whole state is one moment, the *theoretical arrival
//! time*: when it will be as if it had never asked. Each unit moves it on by the quota's period; a request fits if that
//! moves it no further than `burst` periods beyond now. Arrival in the past is the same as no arrival at all.
//!
//! `governor` is given its state and its time by the caller: both are arguments here, and nothing is remembered.
//! What it lacks stands beside it: giving back and debiting.

use std::{cell::Cell, num::NonZeroU32, time::Duration};

use governor::{
    InsufficientCapacity, RateLimiter, clock::Clock, middleware::NoOpMiddleware, nanos::Nanos,
    state::StateStore, state::direct::NotKeyed,
};

use crate::domain::{
    limit::{Fit, Quota},
    time::Instant,
};

/// Longest time, in nanoseconds, that a burst takes to refill: 36 years. Checked quotas stay far below; a quota that
/// was not checked is slower or has less burst than it says, and no sum of moments wraps.
const REFILL_MAX: u64 = 1 << 60;
/// Moments later than this are taken as this, so that what is added to them does not wrap.
const NOW_MAX: u64 = 1 << 62;

/// A quota as times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pace {
    /// Nanoseconds in which one unit comes back; rounded up, so that the rate is never above the quota's.
    period: u64,
    burst: NonZeroU32,
}

/// When a key will be as if it had never asked, in nanoseconds since the beginning.
pub(super) type Arrival = u64;

/// The arrival time of a key that never has.
pub(super) const NEVER_ASKED: Arrival = 0;

/// What does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Refusal {
    /// Whether it ever will.
    pub(super) fit: Fit,
    /// Whole units that would.
    pub(super) remaining: u64,
}

impl Refusal {
    /// What was found out at `steady`, to one who told an earlier `told` and will count from there.
    pub(super) fn told_at(self, told: Instant, steady: Instant) -> Self {
        match self.fit {
            Fit::After(delay) => Self { fit: Fit::After(delay + steady.since(told)), ..self },
            Fit::Now | Fit::Never => self,
        }
    }
}

impl Pace {
    pub(super) fn of(quota: Quota) -> Self {
        let period = match quota {
            Quota::Requests { per_second, .. } => request_period(per_second),
            Quota::Tokens { per_minute, .. } => 60_000_000_000_u64.div_ceil(u64::from(per_minute.get())),
        };
        let burst_max = u32::try_from(REFILL_MAX / period).unwrap_or(u32::MAX);
        Self { period, burst: quota.burst().min(NonZeroU32::new(burst_max).unwrap_or(NonZeroU32::MIN)) }
    }

    /// The arrival time once `cost` units are taken.
    pub(super) fn take(self, arrival: Arrival, cost: NonZeroU32, now: Instant) -> Result<Arrival, Refusal> {
        self.test(arrival, cost, now).map_err(|fit| Refusal { fit, remaining: self.remaining(arrival, now) })
    }

    fn test(self, arrival: Arrival, cost: NonZeroU32, now: Instant) -> Result<Arrival, Fit> {
        // `governor` says so too, but multiplies first, and so wraps where a period is long.
        if cost > self.burst {
            return Err(Fit::Never);
        }
        let now = Nanos::new(bounded(now));
        let arrival = Store(Cell::new(Some(Nanos::new(self.believed(arrival, now.as_u64())))));
        let limiter =
            RateLimiter::<_, _, _, NoOpMiddleware<Nanos>>::new(self.quota(), arrival, Told::beginning());
        limiter.clock().tell(now);
        match limiter.check_n(cost) {
            Ok(Ok(())) => Ok(limiter.into_state_store().0.get().map_or(NEVER_ASKED, Nanos::as_u64)),
            Ok(Err(not_until)) => Err(Fit::After(not_until.wait_time_from(now))),
            Err(InsufficientCapacity(_)) => Err(Fit::Never),
        }
    }

    /// Gives `units` back. No more than a full burst is ever there.
    pub(super) fn give_back(self, arrival: Arrival, units: u64) -> Arrival {
        arrival.saturating_sub(units.saturating_mul(self.period))
    }

    /// Takes `units` whether they fit or not. The debt is at most one burst: whoever owes it waits for one burst to
    /// refill, and then for what they ask, however wild the outcome was.
    pub(super) fn debit(self, arrival: Arrival, units: u64, now: Instant) -> Arrival {
        let now = bounded(now);
        let owed = self.believed(arrival, now).max(now).saturating_add(units.saturating_mul(self.period));
        owed.min(self.latest(now))
    }

    /// Whole units that fit now.
    pub(super) fn remaining(self, arrival: Arrival, now: Instant) -> u64 {
        let now = bounded(now);
        let taken = self.believed(arrival, now).saturating_sub(now);
        self.refill().saturating_sub(taken) / self.period
    }

    /// An arrival so late that only a clock that was set back explains it is one of today.
    fn believed(self, arrival: Arrival, now: u64) -> Arrival {
        arrival.min(self.latest(now))
    }

    /// The latest arrival that there can be: a burst taken, and another owed.
    fn latest(self, now: u64) -> u64 {
        now + 2 * self.refill()
    }

    /// Nanoseconds in which the whole burst comes back.
    fn refill(self) -> u64 {
        self.period * u64::from(self.burst.get())
    }

    fn quota(self) -> governor::Quota {
        governor::Quota::with_period(Duration::from_nanos(self.period))
            .expect("a period is at least a nanosecond")
            .allow_burst(self.burst)
    }
}

fn request_period(per_second: f64) -> u64 {
    // What is no rate at all (only a quota that was not checked) is as slow as there is.
    if per_second.is_nan() || per_second <= 0.0 {
        return REFILL_MAX;
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "positive, and the cast saturates"
    )]
    let period = (1e9 / per_second).ceil() as u64;
    period.clamp(1, REFILL_MAX)
}

fn bounded(now: Instant) -> u64 {
    now.as_nanos().min(NOW_MAX)
}

/// The arrival time of one key, lent to `governor` for one test.
struct Store(Cell<Option<Nanos>>);

impl StateStore for Store {
    type Key = NotKeyed;

    fn measure_and_replace<T, F, E>(&self, _key: &NotKeyed, test: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let (answer, arrival) = test(self.0.get())?;
        self.0.set(Some(arrival));
        Ok(answer)
    }
}

/// A clock that says what it was told. A limiter counts from the moment at which it was made, so it is made at the
/// beginning of time.
#[derive(Debug, Clone)]
struct Told(Cell<Nanos>);

impl Told {
    fn beginning() -> Self {
        Self(Cell::new(Nanos::new(0)))
    }

    fn tell(&self, now: Nanos) {
        self.0.set(now);
    }
}

impl Clock for Told {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        self.0.get()
    }
}

#[cfg(test)]
mod tests;
