//! How did a fleet do?
//!
//! Every request is kept, so percentiles are exact (nearest rank), not estimated.

use std::{collections::BTreeMap, time::Duration};

use serde::Serialize;
use tokio::time::Instant;

use super::gateway::{Attempt, Served};
use crate::domain::{node::RequestType, request::Tier};

/// What a fleet did with the requests of a run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Tally {
    /// The policy, by its name in configuration.
    pub balance: &'static str,
    /// Requests that users made.
    pub requests: usize,
    /// Sendings to a node that were not answered to the end.
    pub failed_attempts: usize,
    /// Requests that no attempt answered.
    pub lost_requests: usize,
    /// First-token latency of answered text requests of premium users.
    pub premium_first_token: Option<Percentiles>,
    /// First-token latency of answered text requests of free users.
    pub free_first_token: Option<Percentiles>,
    /// Time to the whole answer of images and transcripts.
    pub image_and_audio: Option<Percentiles>,
    /// Time of the gateway's calls of `PickNode`, waiting for a node included.
    pub pick: Option<Percentiles>,
    /// Share of the attempts that each node got until the kill, a fraction from 0 to 1.
    pub share_until_kill: BTreeMap<String, f64>,
    /// Milliseconds from the kill to the last pick of the killed node; `None` if there was none.
    pub last_pick_of_killed_ms: Option<f64>,
}

/// Two exact percentiles, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Percentiles {
    /// The median.
    pub p50_ms: f64,
    /// 99 of 100 are at or below it.
    pub p99_ms: f64,
}

/// The death of a node.
#[derive(Debug, Clone, Copy)]
pub(super) struct Death {
    /// The node.
    pub(super) node: &'static str,
    /// When it was killed.
    pub(super) at: Instant,
}

/// Counts a fleet's requests.
pub(super) fn tally(balance: &'static str, served: &[Served], death: Death) -> Tally {
    let text = |tier: Tier| {
        let wanted = move |served: &&Served| served.tier == tier && served.request_type == RequestType::Text;
        percentiles(served.iter().filter(wanted).filter_map(|served| served.first_token_latency))
    };
    let other = served.iter().filter(|served| served.request_type != RequestType::Text);
    let attempts = || served.iter().flat_map(|served| &served.attempts);
    Tally {
        balance,
        requests: served.len(),
        failed_attempts: attempts().filter(|attempt| !attempt.answered).count(),
        lost_requests: served.iter().filter(|served| served.first_token_latency.is_none()).count(),
        premium_first_token: text(Tier::Premium),
        free_first_token: text(Tier::Free),
        image_and_audio: percentiles(other.filter_map(|served| served.first_token_latency)),
        pick: percentiles(attempts().map(|attempt| attempt.pick_latency)),
        share_until_kill: shares(attempts().filter(|attempt| attempt.picked < death.at)),
        last_pick_of_killed_ms: attempts()
            .filter(|attempt| attempt.node == death.node && attempt.picked > death.at)
            .map(|attempt| milliseconds(attempt.picked - death.at))
            .max_by(f64::total_cmp),
    }
}

fn shares<'a>(attempts: impl Iterator<Item = &'a Attempt>) -> BTreeMap<String, f64> {
    let mut counts = BTreeMap::new();
    for attempt in attempts {
        *counts.entry(attempt.node.clone()).or_insert(0.0) += 1.0;
    }
    let all: f64 = counts.values().sum();
    counts.into_iter().map(|(node, count)| (node, count / all)).collect()
}

/// Exact percentiles of these times.
pub(super) fn percentiles(times: impl Iterator<Item = Duration>) -> Option<Percentiles> {
    let mut times: Vec<_> = times.collect();
    times.sort_unstable();
    let rank = |percent: usize| (times.len() * percent).div_ceil(100).saturating_sub(1);
    let at = |percent| times.get(rank(percent)).copied().map(milliseconds);
    Some(Percentiles { p50_ms: at(50)?, p99_ms: at(99)? })
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

#[cfg(test)]
mod tests;
