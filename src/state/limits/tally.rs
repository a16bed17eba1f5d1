//! How often did a rule let through, refuse, or only wish to refuse?

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::domain::{id::LimitName, limit::RuleStats};

/// The counts of one rule.
#[derive(Debug)]
pub(super) struct Tally {
    rule: LimitName,
    pub(super) fitted: AtomicU64,
    pub(super) refused: AtomicU64,
    pub(super) shadow_refused: AtomicU64,
}

impl Tally {
    pub(super) fn new(rule: LimitName) -> Self {
        let [fitted, refused, shadow_refused] = [const { AtomicU64::new(0) }; 3];
        Self { rule, fitted, refused, shadow_refused }
    }

    pub(super) fn stats(&self) -> RuleStats {
        RuleStats {
            rule: self.rule.clone(),
            fitted: self.fitted.load(Relaxed),
            refused: self.refused.load(Relaxed),
            shadow_refused: self.shadow_refused.load(Relaxed),
        }
    }
}
