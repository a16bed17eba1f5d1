//! How much of what, and which rates make sense?

use std::{num::NonZeroU32, time::Duration};

use thiserror::Error;

/// How much. After a pause, `burst` at once; in the long run, the rate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Quota {
    /// Of requests.
    Requests {
        /// The rate, [`Quota::PER_SECOND_MIN`] to [`Quota::PER_SECOND_MAX`].
        per_second: f64,
        /// Most at once; refills within [`Quota::REFILL_MAX`].
        burst: NonZeroU32,
    },
    /// Of tokens, of prompts and answers together.
    Tokens {
        /// The rate, at most [`Quota::PER_MINUTE_MAX`].
        per_minute: NonZeroU32,
        /// Most at once; refills within [`Quota::REFILL_MAX`].
        burst: NonZeroU32,
    },
}

/// Why a quota was refused.
#[derive(Debug, Clone, Copy, PartialEq, Error)]
pub enum QuotaError {
    /// The rate of requests is out of range.
    #[error("{0} requests a second: must be {min} to {max}", min = Quota::PER_SECOND_MIN, max = Quota::PER_SECOND_MAX)]
    PerSecond(f64),
    /// The rate of tokens is out of range.
    #[error("{0} tokens a minute: must be 1 to {max}", max = Quota::PER_MINUTE_MAX)]
    PerMinute(u32),
    /// Who has used up the burst would have to wait too long for it.
    #[error("a burst of {0} takes over {hours} h to refill: lower it or raise the rate", hours = Quota::REFILL_MAX.as_secs() / 3600)]
    Burst(NonZeroU32),
}

impl Quota {
    /// Lowest rate of requests: one in about 17 minutes.
    pub const PER_SECOND_MIN: f64 = 0.001;
    /// Highest rate of requests; a period of a microsecond is still told to 0.1 %.
    pub const PER_SECOND_MAX: f64 = 1e6;
    /// Highest rate of tokens; a period of 600 ns is still told to 0.2 %.
    pub const PER_MINUTE_MAX: u32 = 100_000_000;
    /// Longest time that a burst takes to refill.
    pub const REFILL_MAX: Duration = Duration::from_hours(24);

    /// Checks a quota of requests.
    pub fn requests(per_second: f64, burst: NonZeroU32) -> Result<Self, QuotaError> {
        if !(Self::PER_SECOND_MIN..=Self::PER_SECOND_MAX).contains(&per_second) {
            return Err(QuotaError::PerSecond(per_second));
        }
        Self::Requests { per_second, burst }.refilling()
    }

    /// Checks a quota of tokens.
    pub fn tokens(per_minute: NonZeroU32, burst: NonZeroU32) -> Result<Self, QuotaError> {
        if per_minute.get() > Self::PER_MINUTE_MAX {
            return Err(QuotaError::PerMinute(per_minute.get()));
        }
        Self::Tokens { per_minute, burst }.refilling()
    }

    /// Most at once.
    pub fn burst(self) -> NonZeroU32 {
        match self {
            Self::Requests { burst, .. } | Self::Tokens { burst, .. } => burst,
        }
    }

    /// What it is a quota of.
    pub fn unit(self) -> Unit {
        match self {
            Self::Requests { .. } => Unit::Requests,
            Self::Tokens { .. } => Unit::Tokens,
        }
    }

    /// The rate in units a second.
    pub fn per_second(self) -> f64 {
        match self {
            Self::Requests { per_second, .. } => per_second,
            Self::Tokens { per_minute, .. } => f64::from(per_minute.get()) / 60.0,
        }
    }

    fn refilling(self) -> Result<Self, QuotaError> {
        let burst = self.burst();
        if f64::from(burst.get()) / self.per_second() > Self::REFILL_MAX.as_secs_f64() {
            return Err(QuotaError::Burst(burst));
        }
        Ok(self)
    }
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unit {
    /// Requests.
    Requests,
    /// Tokens, of prompts and answers together.
    Tokens,
}
