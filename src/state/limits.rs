//! Has a user, tenant, tier or model asked for more than it may?
//!
//! Each rule of the policy keeps a quota for each value of what it counts apart, within the tenant. A request takes one
//! unit of the request rules that it matches ([`Limits::admit_request`]) and what it is expected to use of the token rules
//! ([`Limits::reserve_tokens`]), all or nothing; what it turns out not to have used comes back, and what it used beyond
//! is debited ([`Limits::settle`]). Taken minus given back is at most `burst + rate · t` in any span `t`; only debits,
//! which cannot be refused, go beyond it, by at most one burst.
//!
//! The rule itself (name, what it counts apart, quota) is in the key. So a reload needs nothing done: a rule that it left
//! alone finds its keys, a changed quota starts afresh, and keys of rules that are gone are forgotten once they owe
//! nothing.
//!
//! Memory is bounded by [`LimitPolicy::keys_max`]. Beyond it the keys of a tenant under a rule that have no entry yet
//! share one: a service that is short of memory neither refuses everyone new nor lets anyone ask without end. A user who
//! moves between its own key and the shared one may so get twice the quota.

mod ask;
mod gcra;
mod keys;
mod ready;
mod steady;
mod tally;

use std::{
    num::NonZeroU32,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

use crate::domain::{
    digest::{Digest, Digester},
    limit::{Fit, LimitPolicy, LimitRule, LimitStats, LimitVerdict, Mode, OverLimit},
    request::RouteRequest,
    time::Instant,
};
use ask::{Ask, Kind};
use gcra::{Pace, Refusal};
use keys::{Full, Keys};
use ready::{Ready, Rules};

/// What everyone has taken.
#[derive(Debug, Default)]
pub struct Limits {
    digester: Digester,
    keys: Keys,
    rules: Rules,
    overflowed: AtomicU64,
    uncounted: AtomicU64,
}

/// What one request took of request rules. Dropped, it is spent.
#[derive(Debug, Default)]
#[must_use = "a request that is refused later gives this back"]
pub struct Admitted(Box<[Taking]>);

/// What one request took of token rules, until it is known what it used. Dropped, it is spent as estimated.
#[derive(Debug, Default)]
#[must_use = "the lease keeps it until the outcome"]
pub struct Reservation(Box<[Taking]>);

/// Units of one key. Holds all that giving back needs: the rule may be gone by then.
#[derive(Debug, Clone, Copy)]
struct Taking {
    key: Digest,
    pace: Pace,
    units: NonZeroU32,
}

impl Limits {
    /// Nobody has taken anything.
    pub fn new(digester: Digester) -> Self {
        Self { digester, ..Self::default() }
    }

    /// Takes one request of each request rule that matches, or nothing.
    pub fn admit_request(
        &self,
        request: &RouteRequest,
        policy: &LimitPolicy,
        now: Instant,
    ) -> Result<Admitted, OverLimit> {
        self.take_all(Ask::for_one(request, policy), now).map(Admitted)
    }

    /// Reserves the expected tokens (0 counts as 1) of each token rule that matches, or nothing.
    pub fn reserve_tokens(
        &self,
        request: &RouteRequest,
        tokens: u32,
        policy: &LimitPolicy,
        now: Instant,
    ) -> Result<Reservation, OverLimit> {
        self.take_all(Ask::for_tokens(request, tokens, policy), now).map(Reservation)
    }

    /// Gives back what a request took that was refused later: it costs nothing.
    pub fn give_back(&self, admitted: Admitted, now: Instant) {
        let Admitted(takings) = admitted;
        self.give_back_all(&takings, now);
    }

    /// Gives back a reservation of which nothing was used.
    pub fn cancel(&self, reservation: Reservation, now: Instant) {
        let Reservation(takings) = reservation;
        self.give_back_all(&takings, now);
    }

    /// Puts the tokens really used in the place of those that were reserved. A debt is at most one burst. It is lost where
    /// the key was forgotten meanwhile and there is no room for it.
    pub fn settle(&self, reservation: Reservation, used: u64, policy: &LimitPolicy, now: Instant) {
        let Reservation(takings) = reservation;
        for taking in takings {
            let reserved = u64::from(taking.units.get());
            if used <= reserved {
                self.keys.give_back(taking.key, taking.pace, reserved - used, now);
                continue;
            }
            if let Err(Full) = self.keys.debit(taking.key, taking.pace, used - reserved, policy.keys_max, now)
            {
                self.uncounted.fetch_add(1, Relaxed);
            }
        }
    }

    /// What each matching rule would say to a request that is expected to use so many tokens: request rules first, in
    /// the order in which they are asked. Changes nothing.
    pub fn peek(
        &self,
        request: &RouteRequest,
        tokens: u32,
        policy: &LimitPolicy,
        now: Instant,
    ) -> Vec<LimitVerdict> {
        let asks = [Ask::for_one(request, policy), Ask::for_tokens(request, tokens, policy)];
        let rules = self.rules.of(&policy.rules, &self.digester);
        let verdicts = |ask: Ask<'_>| {
            ask.matching(&rules).map(move |rule| self.verdict(rule, ask, now)).collect::<Vec<_>>()
        };
        asks.into_iter().flat_map(verdicts).collect()
    }

    /// Forgets keys that owe nothing.
    pub fn sweep(&self, now: Instant) {
        self.keys.sweep(now);
    }

    /// What was done, and what is held.
    pub fn stats(&self) -> LimitStats {
        LimitStats {
            keys: self.keys.len(),
            overflowed: self.overflowed.load(Relaxed),
            uncounted: self.uncounted.load(Relaxed),
            rules: self.rules.stats(),
        }
    }

    /// Takes of each rule in turn; the first refusal gives back what earlier rules took. Until then others find that
    /// taken: under a rule that is nearly used up, of two requests at once both may be refused, never both admitted.
    fn take_all(&self, ask: Ask<'_>, now: Instant) -> Result<Box<[Taking]>, OverLimit> {
        let rules = self.rules.of(&ask.policy.rules, &self.digester);
        let mut takings = Vec::with_capacity(ask.matching(&rules).count());
        for (rule, ready) in ask.matching(&rules) {
            let tally = &ready.tally;
            match (self.take((rule, ready), ask, now), rule.mode) {
                (Ok(taking), _) => {
                    tally.fitted.fetch_add(1, Relaxed);
                    takings.extend(taking);
                }
                (Err(_), Mode::Shadow) => {
                    tally.shadow_refused.fetch_add(1, Relaxed);
                }
                (Err(refusal), Mode::Enforced) => {
                    tally.refused.fetch_add(1, Relaxed);
                    self.give_back_all(&takings, now);
                    return Err(over_limit(rule, ask.cost, refusal));
                }
            }
        }
        Ok(takings.into_boxed_slice())
    }

    /// Takes of one rule; of no key at all where there is no room for one.
    fn take(
        &self,
        (rule, ready): (&LimitRule, &Ready),
        ask: Ask<'_>,
        now: Instant,
    ) -> Result<Option<Taking>, Refusal> {
        let (pace, units) = (ready.pace, ask.cost);
        for (kind, room) in ask.kinds() {
            let key = ask.key(rule.per, kind, &ready.keys);
            if let Ok(taken) = self.keys.take(key, pace, units, room, now) {
                return taken.map(|()| Some(Taking { key, pace, units }));
            }
            let missed = if kind == Kind::Own { &self.overflowed } else { &self.uncounted };
            missed.fetch_add(1, Relaxed);
        }
        Ok(None)
    }

    fn give_back_all(&self, takings: &[Taking], now: Instant) {
        for taking in takings {
            self.keys.give_back(taking.key, taking.pace, u64::from(taking.units.get()), now);
        }
    }

    fn verdict(&self, (rule, ready): (&LimitRule, &Ready), ask: Ask<'_>, now: Instant) -> LimitVerdict {
        let peek = |(kind, room)| {
            let key = ask.key(rule.per, kind, &ready.keys);
            self.keys.peek(key, ready.pace, ask.cost, room, now).ok()
        };
        let peeked = ask.kinds().into_iter().find_map(peek);
        // Where there is no room to count it, a request is let through.
        let (fit, remaining) = peeked.unwrap_or((Fit::Now, u64::from(rule.quota.burst().get())));
        LimitVerdict {
            rule: rule.name.clone(),
            per: rule.per,
            quota: rule.quota,
            mode: rule.mode,
            cost: ask.cost.get(),
            remaining,
            fit,
        }
    }
}

fn over_limit(rule: &LimitRule, cost: NonZeroU32, refusal: Refusal) -> OverLimit {
    let retry_delay = match refusal.fit {
        Fit::After(delay) => Some(delay),
        Fit::Now | Fit::Never => None,
    };
    let limit = u64::from(rule.quota.burst().get());
    OverLimit {
        rule: rule.name.clone(),
        per: rule.per,
        retry_delay,
        unit: rule.quota.unit(),
        needed: cost.get(),
        limit,
        remaining: refusal.remaining,
    }
}

#[cfg(test)]
mod tests;
