//! What lies before a node that its last report cannot know of?
//!
//! Each pick enters with its expected work when it is made, and leaves when its first token came or its lease ended. A report
//! tells which picks it includes: by the latest lease that had come, or else by when it was taken. So nothing counts
//! twice, and nothing is forgotten between two reports. The sums are atomics, written only under the book's lock and read without
//! it while candidates are scored; they are whole numbers, so that they return to 0.

mod book;

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use parking_lot::Mutex;

use crate::domain::{load::NodeLoad, time::Instant};
use book::{Book, Entry};

/// A request takes about so long to its node: a report that was taken earlier after the pick does not know of it.
const DELIVERY: Duration = Duration::from_millis(20);

/// Picks of one node whose first token has not come.
#[derive(Debug, Default)]
pub struct Ledger {
    book: Mutex<Book>,
    outstanding: AtomicU64,
    unreported: AtomicU64,
    /// When the foremost one can have begun.
    front_since: AtomicU64,
    front_work: AtomicU64,
}

/// The sums at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Outstanding {
    /// Work of all picks whose first token has not come.
    pub all: f64,
    /// Of these, those that the last report does not include.
    pub unreported: f64,
    /// When the foremost one can have begun.
    pub front_since: Instant,
    /// Its work.
    pub front: f64,
}

/// What a first token tells: so much work took until then.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    /// Work that lay before the request and its own, by what was known at its pick.
    pub work: f64,
    /// When it was picked.
    pub picked: Instant,
}

impl Ledger {
    /// The sums now.
    pub fn outstanding(&self) -> Outstanding {
        Outstanding {
            all: self.outstanding.load(Relaxed) as f64,
            unreported: self.unreported.load(Relaxed) as f64,
            front_since: Instant::from_nanos(self.front_since.load(Relaxed)),
            front: self.front_work.load(Relaxed) as f64,
        }
    }

    /// Enters the pick with this number: its own work, and that together with what lies before it.
    pub(super) fn enter(&self, pick: u64, work: f64, ahead: f64, now: Instant) {
        let work = whole(work);
        let mut book = self.book.lock();
        let front = book.front();
        book.insert(pick, Entry { at: now, work, ahead });
        self.move_front(&book, front, now);
        add(&self.outstanding, work);
        if pick > book.included {
            add(&self.unreported, work);
        }
    }

    /// Strikes a pick out: its first token came, or its lease has ended. `None` if it was struck out before.
    pub(super) fn strike(&self, pick: u64, now: Instant) -> Option<Sample> {
        let mut book = self.book.lock();
        let front = book.front();
        let entry = book.remove(pick)?;
        subtract(&self.outstanding, entry.work);
        if pick > book.included {
            subtract(&self.unreported, entry.work);
        }
        self.move_front(&book, front, now);
        Some(Sample { work: entry.ahead, picked: entry.at })
    }

    /// A report has come that was taken at this moment, and knows of all picks up to `received`, where it says so.
    pub(super) fn include(&self, received: Option<u64>, taken: Instant) {
        let mut book = self.book.lock();
        let received = received.map(|received| received.min(book.latest));
        let known = |pick: u64, entry: &Entry| match received {
            Some(received) => pick <= received,
            None => entry.at + DELIVERY <= taken,
        };
        let newly = book.after(book.included).take_while(|(pick, entry)| known(*pick, entry));
        let (counted, work) = newly.fold((0, 0), |(_, sum), (pick, entry)| (pick, sum + entry.work));
        let last = received.unwrap_or(counted);
        book.included = book.included.max(last);
        subtract(&self.unreported, work);
    }

    /// Another pick than before may be the foremost: only then does one begin. One that is struck out from among the rest
    /// takes nothing from what the foremost has done.
    fn move_front(&self, book: &Book, before: Option<(u64, u64)>, now: Instant) {
        let front = book.front();
        if front != before {
            self.front_since.store(now.as_nanos(), Relaxed);
            self.front_work.store(front.map_or(0, |(_, work)| work), Relaxed);
        }
    }
}

/// Adds to a sum. Whoever changes one holds the book, so nothing is lost between reading and writing; and unlike one step for
/// both this waits for no memory that was written before.
fn add(sum: &AtomicU64, work: u64) {
    sum.store(sum.load(Relaxed) + work, Relaxed);
}

fn subtract(sum: &AtomicU64, work: u64) {
    sum.store(sum.load(Relaxed) - work, Relaxed);
}

/// So bounded that a million of them fit a sum.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "work is not negative, and bounded"
)]
fn whole(work: f64) -> u64 {
    work.round().clamp(0.0, NodeLoad::MAX_WORK) as u64
}

#[cfg(test)]
mod tests;
