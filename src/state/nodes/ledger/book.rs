//! Which picks has a node not begun to answer, in the order of their numbers?
//!
//! Picks come almost in order and mostly end from the front, so the entries lie one behind another, and one that ends from
//! among the rest leaves its place empty until the front has come to it, or too many are.

use std::{cmp::Ordering, collections::VecDeque};

use crate::domain::time::Instant;

/// Fewer empty places than this are left where they are.
const GAPS_MIN: usize = 32;
/// Guesses where a pick is, before it is sought by halves.
const GUESSES: usize = 4;

/// The entries of one node.
#[derive(Debug, Default)]
pub(super) struct Book {
    /// By number of the pick; the foremost is there.
    entries: VecDeque<(u64, Option<Entry>)>,
    /// Empty places.
    gaps: usize,
    /// The foremost and its work. Kept beside the entries, for the first of them is far away in memory.
    front: Option<(u64, u64)>,
    /// Number of the latest pick that entered.
    pub(super) latest: u64,
    /// Number of the latest pick that a report has included; never past the latest that entered.
    pub(super) included: u64,
}

/// One pick.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    pub(super) at: Instant,
    pub(super) work: u64,
    /// Work before it and its own, when it was picked.
    pub(super) ahead: f64,
}

impl Book {
    /// The foremost pick and its work.
    pub(super) fn front(&self) -> Option<(u64, u64)> {
        self.front
    }

    /// Adds a pick that is not there.
    pub(super) fn insert(&mut self, pick: u64, entry: Entry) {
        // Not the last entry is asked: of a long book that is far away in memory.
        if pick > self.latest {
            self.latest = pick;
            self.front = self.front.or(Some((pick, entry.work)));
            self.entries.push_back((pick, Some(entry)));
            return;
        }
        match self.find(pick) {
            Ok(place) => {
                self.gaps -= usize::from(self.entries[place].1.is_none());
                self.entries[place].1 = Some(entry);
            }
            Err(place) => self.entries.insert(place, (pick, Some(entry))),
        }
        self.front = self.first();
    }

    /// Takes a pick out; `None` if it is not there.
    pub(super) fn remove(&mut self, pick: u64) -> Option<Entry> {
        let place = self.find(pick).ok()?;
        let entry = self.entries[place].1.take()?;
        self.gaps += 1;
        if place == 0 {
            self.advance();
        }
        if self.gaps > GAPS_MIN.max(self.entries.len() / 2) {
            self.entries.retain(|(_, entry)| entry.is_some());
            self.gaps = 0;
        }
        Some(entry)
    }

    /// Picks after this one, in order.
    pub(super) fn after(&self, pick: u64) -> impl Iterator<Item = (u64, &Entry)> {
        let from = self.entries.partition_point(|(known, _)| *known <= pick);
        self.entries.range(from..).filter_map(|(pick, entry)| Some((*pick, entry.as_ref()?)))
    }

    /// The foremost has gone, and those behind it that went before.
    fn advance(&mut self) {
        while matches!(self.entries.front(), Some((_, None))) {
            self.entries.pop_front();
            self.gaps -= 1;
        }
        self.front = self.first();
    }

    fn first(&self) -> Option<(u64, u64)> {
        let (pick, entry) = self.entries.front()?;
        Some((*pick, entry.map_or(0, |entry| entry.work)))
    }

    /// The place of a pick, or where it would be.
    fn find(&self, pick: u64) -> Result<usize, usize> {
        // The foremost is the one that mostly ends.
        match self.front {
            Some((front, _)) if front == pick => Ok(0),
            _ => self.find_between(pick),
        }
    }

    /// Looks where the pick would be did picks come evenly (interpolation search), and by halves where they did not. By halves from
    /// the beginning it would look at seven places of a long book, each far away in memory.
    fn find_between(&self, pick: u64) -> Result<usize, usize> {
        let (mut low, mut high) = (0, self.entries.len());
        let (mut first, mut last) = (self.entries.front().map_or(0, |(first, _)| *first), self.latest);
        let mut guesses = 0..GUESSES;
        while low < high && (first..=last).contains(&pick) {
            let guess = guesses.next().map(|_| guess(pick, (first, last), (low, high)));
            let place = guess.unwrap_or(usize::midpoint(low, high));
            let (known, _) = self.entries[place];
            match known.cmp(&pick) {
                Ordering::Equal => return Ok(place),
                Ordering::Less => (low, first) = (place + 1, known + 1),
                Ordering::Greater => (high, last) = (place, known - 1),
            }
        }
        Err(if pick < first { low } else { high })
    }
}

/// A place from `low` to below `high`, where the picks from `first` to `last` are.
fn guess(pick: u64, (first, last): (u64, u64), (low, high): (usize, usize)) -> usize {
    let places = high - low - 1;
    let steps = (pick - first).saturating_mul(places as u64) / (last - first).max(1);
    low + usize::try_from(steps).map_or(places, |steps| steps.min(places))
}

#[cfg(test)]
mod tests;
