//! Do pools degrade in an order that makes sense?

use std::sync::Arc;

use super::super::Checks;
use crate::{
    config::raw::policy::degradation::{self as raw, Degradation, Pool},
    domain::{
        degradation::{DegradationPolicy, PoolRule, Threshold, Thresholds},
        id::{ModelName, NameError},
    },
};

const SECTION: &str = "policy.degradation";
/// Longest message, in bytes: it goes into every refusal.
const MESSAGE_BYTES_MAX: usize = 512;

/// Checks the section `policy.degradation`.
pub(super) fn degradation(raw: &Degradation, checks: &mut Checks) -> DegradationPolicy {
    let thresholds = Thresholds {
        busy: Threshold { enter: raw.busy.enter, leave: raw.busy.leave },
        overloaded: Threshold { enter: raw.overloaded.enter, leave: raw.overloaded.leave },
    };
    ordered(SECTION, thresholds, "", checks);
    checks.at_most(SECTION, ("retry_min", raw.retry_min), ("retry_max", raw.retry_max));
    let pools = checks.bounded("policy.degradation.pools", &raw.pools, DegradationPolicy::POOLS_MAX);
    reachable(pools, checks);
    let numbered = pools.iter().enumerate();
    let pool = |(i, raw)| pool(&format!("{SECTION}.pools[{i}]"), raw, thresholds, checks);
    DegradationPolicy {
        thresholds,
        retry_min: raw.retry_min.0,
        retry_max: raw.retry_max.0,
        pools: numbered.map(pool).collect(),
    }
}

/// Refuses rules that never count since an earlier one takes all of their pools.
fn reachable(pools: &[Pool], checks: &mut Checks) {
    for (i, later) in pools.iter().enumerate() {
        if let Some(first) = pools[..i].iter().position(|earlier| covers(earlier, later)) {
            let what = format!("never counts: `{SECTION}.pools[{first}]` is for all of its pools already");
            let hint = "put the rule for fewer pools first, or remove one of the two";
            checks.refuse_with(&format!("{SECTION}.pools[{i}]"), what, hint);
        }
    }
}

fn covers(earlier: &Pool, later: &Pool) -> bool {
    (earlier.request_type.is_none() || earlier.request_type == later.request_type)
        && (earlier.model.is_none() || earlier.model == later.model)
}

/// Checks one rule; `at` is its key.
fn pool(at: &str, raw: &Pool, general: Thresholds, checks: &mut Checks) -> PoolRule {
    let thresholds = Thresholds {
        busy: threshold(raw.busy, general.busy),
        overloaded: threshold(raw.overloaded, general.overloaded),
    };
    // Those of all pools are told once, by their own keys.
    if thresholds != general {
        let inherits = "; what a pool does not give it takes from `policy.degradation`";
        ordered(at, thresholds, inherits, checks);
    }
    let model = checks.check_some(&format!("{at}.model"), raw.model.as_deref().map(ModelName::parse));
    let fallback = format!("{at}.fallback_model");
    let fallback_model = checks.check_some(&fallback, raw.fallback_model.as_deref().map(ModelName::parse));
    if let (Some(model), true) = (&model, model == fallback_model) {
        let hint = "name a smaller model, or leave `fallback_model` out to refuse what the pool cannot take";
        checks.refuse_with(&fallback, format!("`{model}` is the model that is too busy"), hint);
    }
    let message = checks.check_some(&format!("{at}.message"), raw.message.as_deref().map(message));
    PoolRule { request_type: raw.request_type.map(|kind| kind.0), model, thresholds, fallback_model, message }
}

/// Checks what is told: as a name, since it appears in logs and tables too.
fn message(text: &str) -> Result<Arc<str>, NameError> {
    match text {
        "" => Err(NameError::Empty),
        _ if text.len() > MESSAGE_BYTES_MAX => Err(NameError::TooLong(MESSAGE_BYTES_MAX)),
        _ if text.chars().any(char::is_control) => Err(NameError::Control),
        _ => Ok(text.into()),
    }
}

fn threshold(raw: Option<raw::Threshold>, general: Threshold) -> Threshold {
    let raw = raw.unwrap_or_default();
    Threshold { enter: raw.enter.unwrap_or(general.enter), leave: raw.leave.unwrap_or(general.leave) }
}

/// Refuses rungs that are left above where they are entered, and a pool that is overloaded before it is busy.
fn ordered(at: &str, Thresholds { busy, overloaded }: Thresholds, inherits: &str, checks: &mut Checks) {
    let pairs = [
        (("busy.leave", busy.leave), ("busy.enter", busy.enter)),
        (("overloaded.leave", overloaded.leave), ("overloaded.enter", overloaded.enter)),
        (("busy.enter", busy.enter), ("overloaded.enter", overloaded.enter)),
        (("busy.leave", busy.leave), ("overloaded.leave", overloaded.leave)),
    ];
    for ((name, load), (most_name, most)) in pairs {
        if load > most {
            let what = format!("`{load}` is higher than `{at}.{most_name}`, which is `{most}`");
            let hint = format!("lower `{at}.{name}` or raise `{at}.{most_name}`{inherits}");
            checks.refuse_with(&format!("{at}.{name}"), what, hint);
        }
    }
}
