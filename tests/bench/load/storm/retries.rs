//! When is which pick tried again?

use std::{collections::VecDeque, time::Duration};

use super::gateway::Pick;

/// Picks that are tried again, by the tick in which they are.
#[derive(Debug, Default)]
pub(super) struct Retries {
    ticks: VecDeque<Vec<Pick>>,
    first: usize,
}

impl Retries {
    /// To be tried again so long after the start.
    pub(super) fn add(&mut self, at: Duration, pick: Pick) {
        let tick = tick(at).saturating_sub(self.first);
        if self.ticks.len() <= tick {
            self.ticks.resize_with(tick + 1, Vec::new);
        }
        self.ticks[tick].push(pick);
    }

    /// The picks of the next tick, if that has come.
    pub(super) fn due(&mut self, now: Duration) -> Option<Vec<Pick>> {
        if self.first > tick(now) {
            return None;
        }
        self.first += 1;
        self.ticks.pop_front().or(Some(Vec::new()))
    }
}

fn tick(time: Duration) -> usize {
    usize::try_from(time.as_secs() * 1000 + u64::from(time.subsec_millis())).unwrap_or_default()
}
