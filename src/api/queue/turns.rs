//! Whose turn is it among places of equal rank in one line?
//!
//! Start-time fair queuing over users, with one unit of service a place: a user who has places has a tag, the lowest tag
//! is served next, and the earlier arrival among equal tags.
//!
//! ```text
//! on joining with no other place:  tag = virtual time + 1
//! on being served:                 virtual time = max(virtual time, tag), then tag = virtual time + 1
//! ```
//!
//! The tag is the user's and not the place's: places that leave unserved cost their user no turn, and a place that comes
//! from another line goes before the younger ones of its user. Whoever has no place is forgotten, and loses nothing by it:
//! the virtual time has reached the tag of whoever was served.

use std::collections::{BTreeMap, BTreeSet, HashMap, hash_map::Entry};

use super::Arrival;
use crate::domain::digest::Digest;

/// The places of one rank in one line. Every step takes O(log n).
#[derive(Debug, Default)]
pub(super) struct Turns {
    /// Highest tag served since the first of these places joined.
    virtual_time: u64,
    /// The users by their tags; each stands here with its earliest arrival.
    order: BTreeMap<(u64, Arrival), Digest>,
    users: HashMap<Digest, Waiter>,
}

/// One user's places.
#[derive(Debug)]
struct Waiter {
    tag: u64,
    /// Never empty.
    arrivals: BTreeSet<Arrival>,
}

/// How a place leaves a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// It had its turn.
    Served,
    /// It gave up, was pushed out or went to another line.
    Unserved,
}

impl Turns {
    pub(super) fn is_empty(&self) -> bool {
        self.users.is_empty()
    }

    /// The place whose turn is next.
    pub(super) fn head(&self) -> Option<Arrival> {
        self.order.first_key_value().map(|(&(_, arrival), _)| arrival)
    }

    pub(super) fn join(&mut self, user: Digest, arrival: Arrival) {
        let waiter = match self.users.entry(user) {
            Entry::Occupied(waiter) => {
                let waiter = waiter.into_mut();
                self.order.remove(&waiter.key());
                waiter
            }
            Entry::Vacant(user) => {
                user.insert(Waiter { tag: self.virtual_time + 1, arrivals: BTreeSet::new() })
            }
        };
        waiter.arrivals.insert(arrival);
        self.order.insert(waiter.key(), user);
    }

    pub(super) fn leave(&mut self, user: Digest, arrival: Arrival, end: End) {
        let Some(waiter) = self.users.get_mut(&user) else { return };
        self.order.remove(&waiter.key());
        waiter.arrivals.remove(&arrival);
        if end == End::Served {
            self.virtual_time = self.virtual_time.max(waiter.tag);
            waiter.tag = self.virtual_time + 1;
        }
        if waiter.arrivals.is_empty() {
            self.users.remove(&user);
        } else {
            self.order.insert(waiter.key(), user);
        }
    }
}

impl Waiter {
    fn key(&self) -> (u64, Arrival) {
        let first = self.arrivals.first().expect("who has no place is no waiter");
        (self.tag, *first)
    }
}

#[cfg(test)]
mod tests;
