//! Limits and what they have done, as they are told.

use crate::{
    domain::limit::{LimitPolicy, LimitRule, LimitStats, Mode, RuleStats},
    proto,
};

/// Every rule in force, with its counts.
pub fn limits(policy: &LimitPolicy, stats: &LimitStats) -> proto::ListLimitsResponse {
    proto::ListLimitsResponse {
        limits: policy.rules.iter().map(|rule| limit(rule, stats)).collect(),
        key_count: i64::try_from(stats.keys).unwrap_or(i64::MAX),
        overflow_count: i64::try_from(stats.overflowed).unwrap_or(i64::MAX),
    }
}

/// A rule that nobody has come under yet has no counts.
fn limit(rule: &LimitRule, stats: &LimitStats) -> proto::Limit {
    let counts = stats.rules.iter().find(|counts| counts.rule == rule.name);
    let count =
        |of: fn(&RuleStats) -> u64| counts.map_or(0, |counts| i64::try_from(of(counts)).unwrap_or(i64::MAX));
    proto::Limit {
        name: rule.name.to_string(),
        shadow: rule.mode == Mode::Shadow,
        admitted_count: count(|counts| counts.fitted),
        refused_count: count(|counts| counts.refused + counts.shadow_refused),
    }
}
