//! What of each rule is known before anyone asks?
//!
//! A rule's pace, what keeps its keys apart from those of other rules, and its counts: made when a policy comes into force,
//! not when a request does. As many as there may be rules, whoever asks. A rule that a reload leaves in place keeps its counts,
//! known by its name.

use std::sync::Arc;

use arc_swap::{ArcSwap, Guard};

use super::{gcra::Pace, tally::Tally};
use crate::domain::{
    digest::Digester,
    limit::{LimitRule, Quota, RuleStats, Unit},
};

/// The rules that were asked last, made ready.
#[derive(Debug, Default)]
pub(super) struct Rules {
    ready: ArcSwap<List>,
}

/// Rules of one policy.
#[derive(Debug, Default)]
pub(super) struct List {
    of: Arc<[LimitRule]>,
    rules: Box<[Ready]>,
}

/// What one rule asks of a key, and under which.
#[derive(Debug)]
pub(super) struct Ready {
    pub(super) pace: Pace,
    /// No other rule's keys are like this one's, nor are those of another quota: its counts could not be compared.
    pub(super) keys: Digester,
    pub(super) tally: Arc<Tally>,
}

impl Rules {
    /// The rules made ready, in their order.
    ///
    /// While a reload is under way requests ask with the old rules and with the new ones, and each switches the list:
    /// rules in only one of them may lose what was counted in that moment.
    pub(super) fn of(&self, rules: &Arc<[LimitRule]>, digester: &Digester) -> Guard<Arc<List>> {
        let ready = self.ready.load();
        if ready.is_of(rules) {
            return ready;
        }
        self.ready
            .rcu(|known| if known.is_of(rules) { Arc::clone(known) } else { known.remade(rules, digester) });
        // Another policy may have come between, so what was made is not what is loaded: it is made again, for this call.
        let ready = self.ready.load();
        if ready.is_of(rules) { ready } else { Guard::from_inner(ready.remade(rules, digester)) }
    }

    pub(super) fn stats(&self) -> Vec<RuleStats> {
        self.ready.load().rules.iter().map(|rule| rule.tally.stats()).collect()
    }
}

impl List {
    /// The rules, each with what is known of it.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&LimitRule, &Ready)> {
        self.of.iter().zip(&self.rules)
    }

    /// The list keeps the rules themselves, so that no others can come to be where they are.
    fn is_of(&self, rules: &Arc<[LimitRule]>) -> bool {
        Arc::ptr_eq(&self.of, rules)
    }

    fn remade(&self, rules: &Arc<[LimitRule]>, digester: &Digester) -> Arc<Self> {
        let known = |rule: &LimitRule| self.iter().find(|(known, _)| known.name == rule.name);
        let tally = |rule: &LimitRule| {
            known(rule).map_or_else(
                || Arc::new(Tally::new(rule.name.clone())),
                |(_, ready)| Arc::clone(&ready.tally),
            )
        };
        let ready = |rule: &LimitRule| Ready {
            pace: Pace::of(rule.quota),
            keys: keys(rule, digester),
            tally: tally(rule),
        };
        Arc::new(Self { of: Arc::clone(rules), rules: rules.iter().map(ready).collect() })
    }
}

fn keys(rule: &LimitRule, digester: &Digester) -> Digester {
    let quota = match rule.quota {
        Quota::Requests { per_second, burst } => (Unit::Requests, per_second.to_bits(), burst),
        Quota::Tokens { per_minute, burst } => (Unit::Tokens, u64::from(per_minute.get()), burst),
    };
    digester.apart(&(&rule.name, rule.per, quota))
}

#[cfg(test)]
mod tests;
