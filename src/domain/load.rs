//! What a node reports of itself, checked: a value of this type holds nothing absurd.

use std::time::Duration;

use thiserror::Error;

use super::{
    id::{AdapterName, LeaseId},
    node::NodeSpec,
};

/// A fraction from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default)]
pub struct Ratio(f64);

impl Ratio {
    /// Nothing.
    pub const ZERO: Self = Self(0.0);
    /// All.
    pub const ONE: Self = Self(1.0);

    /// Refuses NaN and everything outside 0 to 1.
    pub fn try_new(value: f64) -> Result<Self, RatioError> {
        // A NaN fails the comparison too; adding zero turns -0.0 into 0.0.
        if (0.0..=1.0).contains(&value) { Ok(Self(value + 0.0)) } else { Err(RatioError(value)) }
    }

    /// The fraction, from 0 to 1.
    pub const fn get(self) -> f64 {
        self.0
    }

    /// The same from 0 to 100.
    pub fn percent(self) -> f64 {
        self.0 * 100.0
    }
}

/// A number that is no fraction.
#[derive(Debug, Clone, Copy, PartialEq, Error)]
#[error("must be a fraction from 0 to 1 (30 % is 0.3), got {0}")]
pub struct RatioError(f64);

/// Load of a node at one moment; `None` means that the node does not know.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct NodeLoad {
    /// Processor in use.
    pub cpu: Option<Ratio>,
    /// Host memory in use.
    pub memory: Option<Ratio>,
    /// GPU in use, mean over the node's GPUs.
    pub gpu: Option<Ratio>,
    /// GPU memory in use, mean over the node's GPUs.
    pub gpu_memory: Option<Ratio>,
    /// Requests that the node executes.
    pub running: Option<u32>,
    /// Requests that the node has accepted and not begun.
    pub waiting: Option<u32>,
    /// Key-value cache in use.
    pub kv_cache: Option<Ratio>,
    /// Recent time to the first token.
    pub first_token_latency: Option<Duration>,
    /// Adapters that are loaded, at most [`Self::MAX_ADAPTERS`].
    pub adapters: Vec<AdapterName>,
    /// Tokens that the key-value cache holds at most, up to [`Self::MAX_KV_TOKENS`].
    pub kv_capacity: Option<u64>,
    /// Tokens of it that requests in execution use, up to [`Self::MAX_KV_TOKENS`].
    pub kv_active: Option<u64>,
    /// Prompt tokens that the node has accepted and not yet computed, up to [`Self::MAX_KV_TOKENS`].
    pub queued_tokens: Option<u64>,
    /// The same as work, where 1 is what one token without context takes; finite, from 0 to [`Self::MAX_WORK`].
    pub queued_work: Option<f64>,
    /// Work per millisecond while the node is busy; finite, over 0 and at most [`Self::MAX_SPEED`].
    pub speed: Option<f64>,
    /// Requests in execution that write their answer.
    pub decoding: Option<u32>,
    /// Highest lease that the node had received when it measured: the report includes every pick up to it.
    pub received_lease: Option<LeaseId>,
    /// Time from the measurement to the sending, at most [`Self::MAX_AGE`]; `None` means none.
    pub age: Option<Duration>,
}

impl NodeLoad {
    /// Work of prompts that were accepted and are not yet computed, as far as it is told.
    pub fn work_ahead(&self) -> Option<f64> {
        self.queued_work.or_else(|| self.queued_tokens.map(|tokens| tokens as f64))
    }

    /// Tokens of the key-value cache in use, as far as that is told; of a node that declares the size of its cache, and tells
    /// the share in use, too.
    pub fn kv_tokens_active(&self, declared: Option<u64>) -> Option<f64> {
        let share = || Some(self.kv_cache?.get() * self.kv_capacity.or(declared)? as f64);
        self.kv_active.map(|tokens| tokens as f64).or_else(share)
    }

    /// Share of the key-value cache in use, from 0 to 1; 0 where it is not told.
    pub fn kv_share(&self) -> f64 {
        let share = || Some((self.kv_active? as f64 / self.kv_capacity?.max(1) as f64).min(1.0));
        self.kv_cache.map(Ratio::get).or_else(share).unwrap_or(0.0)
    }

    /// Whether it says which adapters are loaded, and this one is not among them.
    pub fn lacks(&self, adapter: &AdapterName) -> bool {
        !self.adapters.is_empty() && !self.adapters.contains(adapter)
    }

    /// Most requests that a report may claim to run or to hold.
    pub const MAX_REQUESTS: u32 = 1_000_000;
    /// Longest first-token latency that a report may claim.
    pub const MAX_LATENCY: Duration = Duration::from_hours(1);
    /// Most adapters in a report.
    pub const MAX_ADAPTERS: usize = 256;
    /// Most tokens that a report may claim to hold or to have queued.
    pub const MAX_KV_TOKENS: u64 = NodeSpec::MAX_KV_TOKENS;
    /// Most work that a report may claim to have queued.
    pub const MAX_WORK: f64 = 1e12;
    /// Most work per millisecond that a report may claim.
    pub const MAX_SPEED: f64 = 1e6;
    /// Longest time from the measurement to the sending that a report may claim.
    pub const MAX_AGE: Duration = Duration::from_mins(1);
}

#[cfg(test)]
mod tests;
