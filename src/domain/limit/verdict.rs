//! What do the limits say, to one request and about themselves?

use std::time::Duration;

use super::{LimitName, Mode, Per, Quota, Unit};

/// Over a limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OverLimit {
    /// The rule that refused.
    pub rule: LimitName,
    /// What the rule counts apart.
    pub per: Per,
    /// The same request fits then, if nothing else is asked for meanwhile; `None` means never: it is greater than
    /// the burst.
    pub retry_delay: Option<Duration>,
    /// What the rule counts.
    pub unit: Unit,
    /// What the request needs, in the rule's unit.
    pub needed: u32,
    /// Most at once, in the rule's unit.
    pub limit: u64,
    /// Whole units left now.
    pub remaining: u64,
}

/// How one rule sees a request.
#[derive(Debug, Clone, PartialEq)]
pub struct LimitVerdict {
    /// The rule.
    pub rule: LimitName,
    /// What it counts apart.
    pub per: Per,
    /// How much it allows.
    pub quota: Quota,
    /// Whether it refuses.
    pub mode: Mode,
    /// Units that the request takes.
    pub cost: u32,
    /// Whole units left now, before the request.
    pub remaining: u64,
    /// Whether the request fits.
    pub fit: Fit,
}

impl LimitVerdict {
    /// The refusal that the rule would answer with; `None` where it lets the request through.
    pub fn refusal(&self) -> Option<OverLimit> {
        let retry_delay = match (self.mode, self.fit) {
            (Mode::Shadow, _) | (_, Fit::Now) => return None,
            (Mode::Enforced, Fit::After(delay)) => Some(delay),
            (Mode::Enforced, Fit::Never) => None,
        };
        let limit = u64::from(self.quota.burst().get());
        Some(OverLimit {
            rule: self.rule.clone(),
            per: self.per,
            retry_delay,
            unit: self.quota.unit(),
            needed: self.cost,
            limit,
            remaining: self.remaining,
        })
    }
}

/// Whether a request fits into a quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fit {
    /// It does.
    Now,
    /// It will, after so long, if nothing else is asked for meanwhile.
    After(Duration),
    /// It is greater than the burst.
    Never,
}

/// What the limits have done since the service began, and hold now.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LimitStats {
    /// Keys that are counted apart now.
    pub keys: usize,
    /// Requests counted with others of their tenant since there was no room for a key of their own.
    pub overflowed: u64,
    /// Requests not counted at all, since there was no room even for that.
    pub uncounted: u64,
    /// Each rule of the policy that was last asked about, in its order.
    pub rules: Vec<RuleStats>,
}

/// What one rule has done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleStats {
    /// The rule.
    pub rule: LimitName,
    /// Requests that fitted into it, given back or refused by another rule or not.
    pub fitted: u64,
    /// Requests that it refused.
    pub refused: u64,
    /// Requests that it would have refused, were it enforced.
    pub shadow_refused: u64,
}
