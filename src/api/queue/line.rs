//! Who in the line of one gate is next, who is out trying, and when does the line look by itself?

use std::collections::BTreeMap;

use tokio::time::Instant;

use super::{
    Arrival,
    turns::{End, Turns},
};
use crate::domain::{digest::Digest, request::Rank};

/// The places that wait at one gate.
#[derive(Debug, Default)]
pub(super) struct Line {
    /// None of them is empty.
    classes: BTreeMap<Rank, Turns>,
    /// The place that is called and has not said yet how it fared. One at a time: so an event costs one decision.
    pub(super) called: Option<Arrival>,
    /// Events at this gate so far. A call that is handed back is one, too.
    pub(super) events: u64,
    /// Earliest moment, of those told since the last call, when the gate may be open.
    pub(super) retry_at: Option<Instant>,
    /// The head that was last told until when to sleep.
    pub(super) keeper: Option<(Arrival, Instant)>,
}

impl Line {
    pub(super) fn is_empty(&self) -> bool {
        self.classes.is_empty()
    }

    /// The first of the highest rank.
    pub(super) fn head(&self) -> Option<Arrival> {
        self.classes.last_key_value().and_then(|(_, turns)| turns.head())
    }

    /// Whether a newcomer of this rank has somebody before it.
    pub(super) fn is_before(&self, rank: Rank) -> bool {
        self.classes.last_key_value().is_some_and(|(highest, _)| *highest >= rank)
    }

    pub(super) fn join(&mut self, rank: Rank, user: Digest, arrival: Arrival) {
        self.classes.entry(rank).or_default().join(user, arrival);
    }

    pub(super) fn leave(&mut self, rank: Rank, user: Digest, arrival: Arrival, end: End) {
        let Some(turns) = self.classes.get_mut(&rank) else { return };
        turns.leave(user, arrival, end);
        if turns.is_empty() {
            self.classes.remove(&rank);
        }
    }

    /// Takes in when the gate may be open.
    pub(super) fn hear(&mut self, retry_at: Option<Instant>) {
        self.retry_at = earlier(self.retry_at, retry_at);
    }
}

/// The earlier of two moments; `None` is never.
pub(super) fn earlier(one: Option<Instant>, other: Option<Instant>) -> Option<Instant> {
    one.into_iter().chain(other).min()
}
