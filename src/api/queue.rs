//! Who waits for what, and whose turn is it when something changes?
//!
//! A pick that is refused for now stands in the line of its *gate*: what it waits for (a user's quota, a pool with room,
//! an answer on its way). A line is served by rank (the more urgent first, then
//! those who pay), then fairly among users (`turns`), then by arrival.
//!
//! The queue decides nothing. An event ([`Queue::announce`]) or the line's own time (the `retry_at` of a refusal) *calls*
//! the head of the line, and the head's own task tries. If it is served it goes, and the next one is called; if it is
//! refused it stays, and nobody behind it is tried while it does. So an event costs one decision more than it serves,
//! however many wait, and one more for each refused head that goes. No task is spawned: the head itself sleeps until its
//! line's time, and the next takes over when it goes.
//!
//! ```text
//! let before = queue.moment();
//! let Passing { gate, retry_at } = decide() else { return … };
//! let tried = Tried::Refused { since: before, retry_at };
//! let mut place = queue.enter(gate, rank, user, tried)?;
//! loop {
//!     timeout_at(deadline, place.called()).await??;
//!     match decide() {
//!         Final(decision) => return decision, // the place drops: the next one is called
//!         Passing { gate, retry_at } => place.wait_again(gate, retry_at),
//!     }
//! }
//! ```
//!
//! [`Place::decided`] is this loop. A place may be dropped at any moment, and a call that it had goes on to the next.

mod hall;
mod line;
mod turns;

use std::{
    hash::Hash,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use parking_lot::Mutex;
use thiserror::Error;
use tokio::{
    sync::Notify,
    task::yield_now,
    time::{Instant, timeout_at},
};

use crate::domain::{digest::Digest, request::Rank};
use hall::{Hall, Knowledge, Seat, Standing};

/// Shortest sleep between two tries without an event, whatever the refusal says: a `retry_at` that has passed already
/// must not become a loop that eats a processor.
const PAUSE_MIN: Duration = Duration::from_millis(1);

/// The lines of all gates, and a bound on all their places together.
#[derive(Debug)]
pub struct Queue<G> {
    hall: Mutex<Hall<G>>,
    /// Places, written under the lock. Whoever enters counts itself before it reads `events`, and whoever announces counts
    /// its event before it reads this, all sequentially consistent: so at least one of the two sees the other.
    waiting: AtomicUsize,
    /// Events so far.
    events: AtomicU64,
}

/// A moment between two events. Taken before a decision, it tells later whether the decision may be out of date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment(u64);

/// What a newcomer knows of its gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tried {
    /// Nothing: it stood back for those who wait ([`Queue::is_behind`]). If that makes it the head, it is called at once.
    Never,
    /// It was refused just now.
    Refused {
        /// Taken before it was decided.
        since: Moment,
        /// When the refusal may pass without an event; `None` means that nobody knows.
        retry_at: Option<Instant>,
    },
}

/// What a try came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attempt<G, D> {
    /// The answer.
    Final(D),
    /// Not now.
    Passing {
        /// What it waits for.
        gate: G,
        /// When it may pass without an event; `None` means that nobody knows.
        retry_at: Option<Instant>,
    },
}

/// Every place is taken, and none by a lower rank.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("every place to wait is taken; wait less, or raise the bound on waiting picks")]
pub struct Full;

/// Why a place came to no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Unserved {
    /// It was lost.
    #[error(transparent)]
    PushedOut(#[from] PushedOut),
    /// Its turn did not come in time, or did and was of no use.
    #[error("could not be decided in the time allowed; wait longer, or retry later")]
    TooLate,
}

/// The place was given to a higher rank because the queue was full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error(
    "lost the place to wait to a more urgent or paid pick; wait less, or raise the bound on waiting picks"
)]
pub struct PushedOut;

/// Names a place, and says which of two came first. It survives a change of lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Arrival(u64);

impl<G: Eq + Hash + Clone> Queue<G> {
    /// An empty queue with so many places. When all are taken, a newcomer takes that of the youngest of the lowest
    /// rank if that is lower than its own: nobody is refused a place that a lower rank holds.
    pub fn new(places_max: usize) -> Self {
        let hall = Mutex::new(Hall::new(places_max));
        Self { hall, waiting: AtomicUsize::new(0), events: AtomicU64::new(0) }
    }

    /// Places taken.
    pub fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Gates that somebody waits at.
    pub fn lines(&self) -> usize {
        self.hall.lock().lines()
    }

    /// To be taken before a decision that may lead to [`Self::enter`].
    pub fn moment(&self) -> Moment {
        Moment(self.events.load(Ordering::SeqCst))
    }

    /// Whether a newcomer of this rank would overtake somebody at the gate if it were decided now: then it should
    /// enter as [`Tried::Never`]. Takes no lock while nobody waits anywhere.
    pub fn is_behind(&self, gate: &G, rank: Rank) -> bool {
        self.waiting() > 0 && self.hall.lock().is_behind(gate, rank)
    }

    /// Takes a place in the gate's line. `user` is whom it is fair to.
    pub fn enter(&self, gate: G, rank: Rank, user: Digest, tried: Tried) -> Result<Place<'_, G>, Full> {
        let retry_at = match tried {
            Tried::Never => None,
            Tried::Refused { retry_at, .. } => retry_at,
        };
        let bell = Arc::new(Notify::new());
        let seat = Seat { gate, user, rank, retry_at, seen: None, bell: Arc::clone(&bell) };
        let arrival = self.change(|hall| {
            self.waiting.fetch_add(1, Ordering::SeqCst);
            let knowledge = match tried {
                Tried::Never => Knowledge::Stale,
                Tried::Refused { since, .. } => self.knowledge(since),
            };
            hall.enter(seat, knowledge)
        })?;
        Ok(Place { queue: self, arrival, bell, since: self.moment(), refused: false })
    }

    /// Something changed at the gate: its head is called. Takes no lock while nobody waits anywhere.
    pub fn announce(&self, gate: &G) {
        if self.note_event() {
            self.change(|hall| hall.announce(gate));
        }
    }

    /// Something changed that any gate may depend on: the head of every line is called.
    pub fn announce_all(&self) {
        if self.note_event() {
            self.change(Hall::announce_all);
        }
    }

    /// Whether somebody may have to hear of it.
    fn note_event(&self) -> bool {
        self.events.fetch_add(1, Ordering::SeqCst);
        self.waiting.load(Ordering::SeqCst) > 0
    }

    fn knowledge(&self, since: Moment) -> Knowledge {
        if self.moment() == since { Knowledge::Fresh } else { Knowledge::Stale }
    }

    /// One step under the lock. Bells are rung after it, so that who is woken does not meet a closed door.
    fn change<T>(&self, step: impl FnOnce(&mut Hall<G>) -> T) -> T {
        let mut hall = self.hall.lock();
        let result = step(&mut hall);
        self.waiting.store(hall.places(), Ordering::SeqCst);
        let bells = hall.take_bells();
        drop(hall);
        for bell in bells {
            bell.notify_one();
        }
        result
    }
}

/// A place in a line, free again when dropped. If it was called, the next one is called then.
#[must_use = "a place that is dropped is free"]
#[derive(Debug)]
pub struct Place<'q, G: Eq + Hash + Clone> {
    queue: &'q Queue<G>,
    arrival: Arrival,
    bell: Arc<Notify>,
    /// Before its last try.
    since: Moment,
    /// Whether it was refused since it was last called.
    refused: bool,
}

impl<G: Eq + Hash + Clone> Place<'_, G> {
    /// Waits until it is this place's turn. Then it must try, and drop the place or [`Self::wait_again`]: until then
    /// nobody else in the line is called. May be dropped and called again without harm.
    pub async fn called(&mut self) -> Result<(), PushedOut> {
        if self.refused {
            // Where events come faster than decisions, this is the only moment when the caller's deadline is looked at.
            yield_now().await;
            self.refused = false;
        }
        loop {
            let standing = self.queue.change(|hall| hall.look(self.arrival, Instant::now()));
            match standing {
                Standing::Called => break,
                Standing::PushedOut => return Err(PushedOut),
                Standing::Waits(None) => self.bell.notified().await,
                Standing::Waits(Some(due)) => {
                    // Whether by bell or by time: it looks again.
                    let _ = timeout_at(due, self.bell.notified()).await;
                }
            }
        }
        self.since = self.queue.moment();
        Ok(())
    }

    /// Tells that the try was refused. At the same gate the place stays where it is; at another one it gets in line with
    /// its rank and its arrival, and the next one of the old line is called. `None`: nobody knows when it may pass.
    pub fn wait_again(&mut self, gate: G, retry_at: Option<Instant>) {
        let retry_at = retry_at.map(|at| at.max(Instant::now() + PAUSE_MIN));
        self.refused = true;
        self.queue.change(|hall| {
            let knowledge = self.queue.knowledge(self.since);
            hall.wait_again(self.arrival, gate, retry_at, knowledge);
        });
    }

    /// Tries whenever it is this place's turn, until there is an answer or no time left.
    pub async fn decided<D>(
        mut self,
        deadline: Instant,
        mut decide: impl FnMut() -> Attempt<G, D>,
    ) -> Result<D, Unserved> {
        loop {
            timeout_at(deadline, self.called()).await.map_err(|_| Unserved::TooLate)??;
            // Where thousands give up at once each is called by the one before: their last tries would take their time.
            if Instant::now() >= deadline {
                return Err(Unserved::TooLate);
            }
            match decide() {
                Attempt::Final(decision) => return Ok(decision),
                Attempt::Passing { gate, retry_at } => self.wait_again(gate, retry_at),
            }
        }
    }
}

impl<G: Eq + Hash + Clone> Drop for Place<'_, G> {
    fn drop(&mut self) {
        self.queue.change(|hall| hall.leave(self.arrival));
    }
}

#[cfg(test)]
mod tests;
