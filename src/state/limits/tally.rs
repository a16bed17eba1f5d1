//! How often did each rule let through, refuse, or only wish to refuse?
//!
//! One entry a rule of the policy in force: as many as there may be rules, whoever asks. A rule that a reload leaves
//! in place keeps its counts, known by its name.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};

use arc_swap::{ArcSwap, Guard};

use crate::domain::{
    id::LimitName,
    limit::{LimitRule, RuleStats},
};

/// The counts of all rules.
#[derive(Debug, Default)]
pub(super) struct Tallies {
    rules: ArcSwap<Vec<Arc<Tally>>>,
}

/// The counts of one rule.
#[derive(Debug)]
pub(super) struct Tally {
    rule: LimitName,
    pub(super) fitted: AtomicU64,
    pub(super) refused: AtomicU64,
    pub(super) shadow_refused: AtomicU64,
}

impl Tallies {
    /// The tally of each of these rules, in their order.
    ///
    /// While a reload is under way requests ask with the old rules and with the new ones, and each switches the list:
    /// rules in only one of them may lose what was counted in that moment.
    pub(super) fn of(&self, rules: &[LimitRule]) -> Guard<Arc<Vec<Arc<Tally>>>> {
        let tallies = self.rules.load();
        if are_of(&tallies, rules) {
            return tallies;
        }
        self.rules
            .rcu(|tallies| if are_of(tallies, rules) { Arc::clone(tallies) } else { remade(tallies, rules) });
        // Another policy may have come between, so what was made is not what is loaded: it is made again, for this call.
        let tallies = self.rules.load();
        if are_of(&tallies, rules) { tallies } else { Guard::from_inner(remade(&tallies, rules)) }
    }

    pub(super) fn stats(&self) -> Vec<RuleStats> {
        self.rules.load().iter().map(|tally| tally.stats()).collect()
    }
}

impl Tally {
    fn new(rule: LimitName) -> Self {
        let [fitted, refused, shadow_refused] = [const { AtomicU64::new(0) }; 3];
        Self { rule, fitted, refused, shadow_refused }
    }

    fn stats(&self) -> RuleStats {
        RuleStats {
            rule: self.rule.clone(),
            fitted: self.fitted.load(Relaxed),
            refused: self.refused.load(Relaxed),
            shadow_refused: self.shadow_refused.load(Relaxed),
        }
    }
}

/// Names are shared text: the usual comparison is one of pointers.
fn are_of(tallies: &[Arc<Tally>], rules: &[LimitRule]) -> bool {
    tallies.len() == rules.len() && tallies.iter().zip(rules).all(|(tally, rule)| tally.rule == rule.name)
}

fn remade(tallies: &[Arc<Tally>], rules: &[LimitRule]) -> Arc<Vec<Arc<Tally>>> {
    let kept = |rule: &LimitRule| tallies.iter().find(|tally| tally.rule == rule.name).cloned();
    let tally = |rule: &LimitRule| kept(rule).unwrap_or_else(|| Arc::new(Tally::new(rule.name.clone())));
    Arc::new(rules.iter().map(tally).collect())
}

#[cfg(test)]
mod tests;
