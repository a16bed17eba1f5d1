//! What is behind the queue's lock: every place, the line it stands in, and who is to be woken?
//!
//! Pure of tasks and clocks: the time is an argument, and the bells to ring are left in a list for whoever holds the lock
//! to ring after letting it go.
//!
//! A line is in one of two states. *Out*: one of its places is called and tries; what happens meanwhile is only counted.
//! *Quiet*: nobody tries, the head has tried since the last event, and sleeps until the line's time if there is one. Each
//! step ends with [`Hall::settle`], which makes this true: whoever becomes the head of a quiet line is called unless it
//! knows of the last event. So no call is lost with a place that had it, and nobody who came too late for an event waits
//! for ever behind somebody who was not helped by it.

use std::{
    cmp::Reverse,
    collections::{BTreeSet, HashMap},
    hash::Hash,
    sync::Arc,
};

use tokio::{sync::Notify, time::Instant};

use super::{
    Arrival, Full,
    line::{Line, earlier},
    turns::End,
};
use crate::domain::{digest::Digest, request::Rank};

/// All places and lines. Every step takes O(log n), [`Self::announce_all`] that for each line.
#[derive(Debug)]
pub(super) struct Hall<G> {
    places_max: usize,
    arrivals: u64,
    /// None of them is empty.
    lines: HashMap<G, Line>,
    places: HashMap<Arrival, Seat<G>>,
    /// The same places; the first one gives way when the queue is full.
    yielding: BTreeSet<(Rank, Reverse<Arrival>)>,
    bells: Vec<Arc<Notify>>,
}

/// One place.
#[derive(Debug)]
pub(super) struct Seat<G> {
    /// What it waits for.
    pub(super) gate: G,
    /// Whose turn it uses.
    pub(super) user: Digest,
    /// Higher ones are served first.
    pub(super) rank: Rank,
    /// When its own last refusal may pass; `None` when it was called since, or nobody knows.
    pub(super) retry_at: Option<Instant>,
    /// Events at the gate before its last try; `None` when it has to try whatever happened.
    pub(super) seen: Option<u64>,
    /// Wakes its task.
    pub(super) bell: Arc<Notify>,
}

/// Whether the place's own refusal tells how things are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Knowledge {
    /// Nothing has happened since.
    Fresh,
    /// Something has, or it was never refused: when it is the head it must try.
    Stale,
}

/// How a place stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// Its turn is now.
    Called,
    /// It waits for its bell, or until then.
    Waits(Option<Instant>),
    /// It has none any more.
    PushedOut,
}

impl<G: Eq + Hash + Clone> Hall<G> {
    pub(super) fn new(places_max: usize) -> Self {
        Self {
            places_max,
            arrivals: 0,
            lines: HashMap::new(),
            places: HashMap::new(),
            yielding: BTreeSet::new(),
            bells: Vec::new(),
        }
    }

    pub(super) fn places(&self) -> usize {
        self.places.len()
    }

    pub(super) fn lines(&self) -> usize {
        self.lines.len()
    }

    /// The bells to ring when the lock is let go.
    pub(super) fn take_bells(&mut self) -> Vec<Arc<Notify>> {
        std::mem::take(&mut self.bells)
    }

    /// Whether somebody at the gate goes before a newcomer of this rank.
    pub(super) fn is_behind(&self, gate: &G, rank: Rank) -> bool {
        self.lines.get(gate).is_some_and(|line| line.is_before(rank))
    }

    /// Gives a place, in a full queue that of the youngest of the lowest rank, if that is lower.
    pub(super) fn enter(&mut self, seat: Seat<G>, knowledge: Knowledge) -> Result<Arrival, Full> {
        if self.places.len() >= self.places_max {
            self.make_room(seat.rank)?;
        }
        self.arrivals += 1;
        let arrival = Arrival(self.arrivals);
        self.put(arrival, seat, knowledge);
        Ok(arrival)
    }

    /// How the place stands. The head of a quiet line whose time has come is called by this.
    pub(super) fn look(&mut self, arrival: Arrival, now: Instant) -> Standing {
        let Some(seat) = self.places.get(&arrival) else { return Standing::PushedOut };
        let gate = seat.gate.clone();
        let due = self.due(&gate).filter(|(head, _)| *head == arrival);
        if due.is_some_and(|(_, at)| at <= now) {
            self.call(&gate, arrival);
        }
        let (Some(line), Some(seat)) = (self.lines.get_mut(&gate), self.places.get_mut(&arrival)) else {
            return Standing::PushedOut;
        };
        if line.called == Some(arrival) {
            // It tries after this: what has happened so far it will see.
            seat.seen = Some(line.events);
            return Standing::Called;
        }
        line.keeper = due.or(line.keeper);
        Standing::Waits(due.map(|(_, at)| at))
    }

    /// Takes in that the place was refused, by this or another gate. It keeps its arrival.
    pub(super) fn wait_again(
        &mut self,
        arrival: Arrival,
        gate: G,
        retry_at: Option<Instant>,
        knowledge: Knowledge,
    ) {
        match self.places.get_mut(&arrival) {
            Some(seat) if seat.gate == gate => {
                seat.retry_at = retry_at;
                self.stay(arrival, &gate, retry_at);
            }
            Some(_) => {
                let seat = self.take(arrival, End::Unserved).expect("it was found");
                self.put(arrival, Seat { gate, retry_at, ..seat }, knowledge);
            }
            None => {}
        }
    }

    /// Frees the place. If it was called, it has had its turn, and the next is called.
    pub(super) fn leave(&mut self, arrival: Arrival) {
        let Some(seat) = self.places.get(&arrival) else { return };
        let called = self.lines.get(&seat.gate).and_then(|line| line.called);
        let end = if called == Some(arrival) { End::Served } else { End::Unserved };
        self.take(arrival, end);
    }

    /// Calls the head of the gate's line.
    pub(super) fn announce(&mut self, gate: &G) {
        if let Some(line) = self.lines.get_mut(gate) {
            line.events += 1;
            self.settle(gate);
        }
    }

    /// Calls the head of every line.
    pub(super) fn announce_all(&mut self) {
        let gates: Vec<_> = self.lines.keys().cloned().collect();
        for gate in gates {
            self.announce(&gate);
        }
    }

    fn make_room(&mut self, rank: Rank) -> Result<(), Full> {
        match self.yielding.first() {
            Some(&(lowest, Reverse(youngest))) if lowest < rank => {
                let seat = self.take(youngest, End::Unserved);
                self.bells.extend(seat.map(|seat| seat.bell));
                Ok(())
            }
            _ => Err(Full),
        }
    }

    fn put(&mut self, arrival: Arrival, mut seat: Seat<G>, knowledge: Knowledge) {
        let gate = seat.gate.clone();
        let line = self.lines.entry(gate.clone()).or_default();
        line.join(seat.rank, seat.user, arrival);
        line.hear(seat.retry_at);
        seat.seen = (knowledge == Knowledge::Fresh).then_some(line.events);
        self.yielding.insert((seat.rank, Reverse(arrival)));
        self.places.insert(arrival, seat);
        self.settle(&gate);
    }

    fn take(&mut self, arrival: Arrival, end: End) -> Option<Seat<G>> {
        let seat = self.places.remove(&arrival)?;
        self.yielding.remove(&(seat.rank, Reverse(arrival)));
        let line = self.lines.get_mut(&seat.gate)?;
        line.leave(seat.rank, seat.user, arrival, end);
        if line.is_empty() {
            self.lines.remove(&seat.gate);
            return Some(seat);
        }
        if line.called == Some(arrival) {
            line.called = None;
            line.events += 1;
        }
        self.settle(&seat.gate);
        Some(seat)
    }

    /// The place waits on in its line; nobody behind it is tried unless something changed meanwhile.
    fn stay(&mut self, arrival: Arrival, gate: &G, retry_at: Option<Instant>) {
        let Some(line) = self.lines.get_mut(gate) else { return };
        line.hear(retry_at);
        line.called = line.called.filter(|called| *called != arrival);
        self.settle(gate);
    }

    /// Lets the head of a line where nobody tries do so if it does not know of the last event, or else keep the time.
    fn settle(&mut self, gate: &G) {
        let Some(line) = self.lines.get(gate).filter(|line| line.called.is_none()) else { return };
        let Some(head) = line.head() else { return };
        let seen = self.places.get(&head).and_then(|seat| seat.seen);
        if seen == Some(line.events) {
            self.keep_time(gate);
        } else {
            self.call(gate, head);
        }
    }

    fn call(&mut self, gate: &G, head: Arrival) {
        let (Some(line), Some(seat)) = (self.lines.get_mut(gate), self.places.get_mut(&head)) else { return };
        line.called = Some(head);
        line.retry_at = None;
        line.keeper = None;
        seat.retry_at = None;
        self.bells.push(Arc::clone(&seat.bell));
    }

    /// Lets the head know until when to sleep, if it does not know yet.
    fn keep_time(&mut self, gate: &G) {
        let due = self.due(gate);
        let Some(line) = self.lines.get_mut(gate) else { return };
        if due == line.keeper {
            return;
        }
        line.keeper = due;
        let seat = due.and_then(|(head, _)| self.places.get(&head));
        self.bells.extend(seat.map(|seat| Arc::clone(&seat.bell)));
    }

    /// The head of a quiet line, and when it is to be called without an event.
    fn due(&self, gate: &G) -> Option<(Arrival, Instant)> {
        let line = self.lines.get(gate).filter(|line| line.called.is_none())?;
        let head = line.head()?;
        let own = self.places.get(&head).and_then(|seat| seat.retry_at);
        earlier(line.retry_at, own).map(|at| (head, at))
    }
}

#[cfg(test)]
mod tests;
