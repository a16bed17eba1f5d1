//! Every weight, threshold and bound that a decision reads, already checked.
//!
//! One value, swapped whole on reload: a decision sees the old policy or the new one, never a mixture. The defaults
//! are what a service without a configuration file runs on.

mod cost;

use std::{num::NonZeroU32, time::Duration};

pub use self::cost::{CostPolicy, Learning, Refusal};
use super::{
    answer::policy::AnswerPolicy, degradation::DegradationPolicy, limit::LimitPolicy, load::Ratio,
    prefix::PrefixPolicy, request::Tier,
};

/// All that decides.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Policy {
    /// How candidates are compared.
    pub balance: Balance,
    /// What load is made of.
    pub load: LoadPolicy,
    /// What the expected cost of a candidate is made of.
    pub cost: CostPolicy,
    /// How prefixes are remembered.
    pub prefixes: PrefixPolicy,
    /// When a request may go to the other class.
    pub spill: SpillPolicy,
    /// What tiers are promised.
    pub tiers: Tiers,
    /// How many nodes a route names besides the picked one.
    pub fallbacks: Fallbacks,
    /// How picks stay in flight.
    pub leases: LeasePolicy,
    /// When a node counts as alive.
    pub freshness: FreshnessPolicy,
    /// When a node is ejected.
    pub breaker: BreakerPolicy,
    /// How much anyone may ask for.
    pub limits: LimitPolicy,
    /// How answers are kept.
    pub answers: AnswerPolicy,
    /// When a busy pool gives less.
    pub degradation: DegradationPolicy,
    /// Most nodes in the table.
    pub nodes_max: NodesMax,
}

/// How candidates are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Balance {
    /// [`Self::ExpectedCost`] where nodes tell enough of themselves, else [`Self::WeightedLoad`].
    #[default]
    Auto,
    /// Least expected cost, by [`CostPolicy`].
    ExpectedCost,
    /// Least load, by [`LoadPolicy`].
    WeightedLoad,
    /// Fewest unfinished requests per weight.
    LeastInFlight,
    /// The better of two at random, by unfinished requests per weight.
    PowerOfTwo,
    /// The least recently picked.
    RoundRobin,
    /// Any.
    Random,
    /// Least latency times unfinished requests.
    PeakEwma,
    /// Most of the prompt held, unless the fleet is out of balance; then fewest unfinished requests.
    PrefixThenLoad,
    /// Highest weighted sum of scores for the prefix, the queue and the key-value cache.
    WeightedScorers,
    /// Least prompt left to compute plus blocks in use.
    OverlapCost,
    /// By the beginning of the prompt alone: the same always goes to the same node (rendezvous).
    Hash,
}

impl Balance {
    /// Every policy, with its name in configuration.
    pub const NAMES: [(Self, &str); 12] = [
        (Self::Auto, "auto"),
        (Self::ExpectedCost, "expected_cost"),
        (Self::WeightedLoad, "weighted_load"),
        (Self::LeastInFlight, "least_in_flight"),
        (Self::PowerOfTwo, "power_of_two"),
        (Self::RoundRobin, "round_robin"),
        (Self::Random, "random"),
        (Self::PeakEwma, "peak_ewma"),
        (Self::PrefixThenLoad, "prefix_then_load"),
        (Self::WeightedScorers, "weighted_scorers"),
        (Self::OverlapCost, "overlap_cost"),
        (Self::Hash, "hash"),
    ];

    /// The policy's name in configuration.
    pub fn name(self) -> &'static str {
        Self::NAMES[self as usize].1
    }
}

/// What load is made of: `cpu · cpu% + memory · memory% + queue · queue%`, plus a term for failures.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LoadPolicy {
    /// Weight of the processor, 0 or more.
    pub cpu: f64,
    /// Weight of the memory, 0 or more.
    pub memory: f64,
    /// Weight of the queue, 0 or more.
    pub queue: f64,
    /// Whether a reported GPU takes the processor's place.
    pub gpu_replaces_cpu: bool,
    /// Queue length that counts as full, for nodes that declare none.
    pub queue_capacity: NonZeroU32,
    /// Load added to a node all of whose recent requests failed; in proportion for fewer.
    pub failure_penalty: f64,
}

impl Default for LoadPolicy {
    fn default() -> Self {
        Self {
            cpu: 0.4,
            memory: 0.3,
            queue: 0.3,
            gpu_replaces_cpu: true,
            queue_capacity: NonZeroU32::new(100).expect("100 is not 0"),
            failure_penalty: 50.0,
        }
    }
}

/// When a request may go to the other class.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SpillPolicy {
    /// On what condition.
    pub when: Spill,
    /// Load of the best candidate of its own class from which on a request spills, for [`Spill::WhenOverloaded`].
    pub overload: f64,
}

impl Default for SpillPolicy {
    fn default() -> Self {
        Self { when: Spill::Never, overload: 80.0 }
    }
}

/// On what condition a request spills.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spill {
    /// Never.
    Never,
    /// When its own class has no candidate.
    WhenEmpty,
    /// When its own class has no candidate below the overload, or none that keeps the tier's target.
    WhenOverloaded,
}

impl Spill {
    /// Every condition, with its name in configuration.
    pub const NAMES: [(Self, &str); 3] =
        [(Self::Never, "never"), (Self::WhenEmpty, "when_empty"), (Self::WhenOverloaded, "when_overloaded")];
}

/// First-token latency that each tier is promised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tiers {
    /// For those who pay.
    pub premium: Duration,
    /// For those who do not.
    pub free: Duration,
}

impl Tiers {
    /// What the tier is promised.
    pub fn first_token_target(&self, tier: Tier) -> Duration {
        match tier {
            Tier::Premium => self.premium,
            Tier::Free => self.free,
        }
    }
}

impl Default for Tiers {
    fn default() -> Self {
        Self { premium: Duration::from_secs(1), free: Duration::from_secs(3) }
    }
}

/// How many fallbacks a route names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fallbacks(pub usize);

impl Default for Fallbacks {
    fn default() -> Self {
        Self(2)
    }
}

/// Most nodes in the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NodesMax(pub usize);

impl Default for NodesMax {
    fn default() -> Self {
        Self(10_000)
    }
}

/// How picks stay in flight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeasePolicy {
    /// Without a word of its own, a pick's lease lasts so long.
    pub ttl: Duration,
    /// The longest that a request may ask for.
    pub ttl_max: Duration,
    /// Most live leases.
    pub live_max: usize,
    /// How long an ended lease is remembered, to know a repeated outcome; as many are remembered as may live.
    pub remember: Duration,
}

impl Default for LeasePolicy {
    fn default() -> Self {
        Self {
            ttl: Duration::from_mins(1),
            ttl_max: Duration::from_hours(1),
            live_max: 200_000,
            remember: Duration::from_secs(10),
        }
    }
}

/// When a node counts as alive.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FreshnessPolicy {
    /// How often agents are asked to report.
    pub report_interval: Duration,
    /// A node without a report or a good outcome for so long is silent.
    pub stale_after: Duration,
    /// After the end of its stream a node has so long to show a good outcome.
    pub close_grace: Duration,
    /// A node without an agent that shows good outcomes is trusted for so long after each.
    pub outcome_trust: Duration,
    /// Silence of more than this share of the fleet is our fault, not theirs: it is not held against them.
    pub freeze_share: Ratio,
    /// In a fleet of fewer nodes silence is always theirs.
    pub freeze_nodes_min: usize,
    /// A node whose agent is gone and that shows nothing good for so long is forgotten.
    pub forget_after: Duration,
}

impl Default for FreshnessPolicy {
    fn default() -> Self {
        Self {
            report_interval: Duration::from_millis(500),
            stale_after: Duration::from_millis(1500),
            close_grace: Duration::from_millis(200),
            outcome_trust: Duration::from_secs(10),
            freeze_share: Ratio::try_new(0.5).expect("a half is a ratio"),
            freeze_nodes_min: 3,
            forget_after: Duration::from_mins(1),
        }
    }
}

/// When a node is ejected, and how it returns.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BreakerPolicy {
    /// Failures in a row that open the breaker.
    pub consecutive_failures: NonZeroU32,
    /// Span over which the success ratio is counted.
    pub window: Duration,
    /// Fewest outcomes in the window for the ratio to count.
    pub samples_min: NonZeroU32,
    /// Success ratio below which the breaker opens.
    pub success_ratio_min: Ratio,
    /// How long it stays open the first time; doubles each time that the trial fails.
    pub open_for: Duration,
    /// The longest that it stays open.
    pub open_for_max: Duration,
    /// How long a returning node takes to get its full share.
    pub slow_start: Duration,
    /// More of a pool than this is never ejected: beyond it breakers are not held against nodes.
    pub ejected_share_max: Ratio,
}

impl Default for BreakerPolicy {
    fn default() -> Self {
        Self {
            consecutive_failures: NonZeroU32::new(5).expect("5 is not 0"),
            window: Duration::from_secs(10),
            samples_min: NonZeroU32::new(20).expect("20 is not 0"),
            success_ratio_min: Ratio::try_new(0.5).expect("a half is a ratio"),
            open_for: Duration::from_secs(5),
            open_for_max: Duration::from_mins(1),
            slow_start: Duration::from_secs(10),
            ejected_share_max: Ratio::try_new(0.5).expect("a half is a ratio"),
        }
    }
}
