//! What is known of the nodes of one pool and class, kept so that a pick need not ask each of them?
//!
//! A board keeps a reading of each node, and reads a node anew when something has happened to it (`marks`) or the time has
//! come that its reading says. Over the readings stand a [`Census`], for what all nodes together tell, and a pyramid of their
//! [`Standing`](super::standing::Standing)s, by which the cheapest are found without a look at the rest.
//!
//! A small board is always exact. Of a large one the census may be 5 ms old, and what the pyramid has of a cache
//! 50 ms: shortlisted nodes are compared by their readings, which are never old.

mod asked;
mod census;
mod lanes;
mod pyramid;
mod rows;

use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};

use super::{marks::Marks, node::Node, standing::Speeds};
use crate::domain::{decision::Target, node::RequestType, policy::Policy, time::Instant};
pub use asked::{Asked, Typical};
pub use census::{Census, Sum};
pub use pyramid::{Group, WIDTH};
pub use rows::{Rows, Search};

/// What a board tells of all its nodes at one moment.
#[derive(Debug, Clone, Copy, Default)]
pub struct Glance {
    /// What they have in common.
    pub census: Census,
    /// Speeds of the live ones, to a hundredth.
    pub speeds: Speeds,
    /// How many policies they were read by.
    pub version: u64,
}

/// The board of one pool and class.
#[derive(Debug)]
pub struct Board {
    nodes: Vec<Arc<Node>>,
    /// Where they take requests of the pool's type. Here, side by side: of a large fleet each node is far away in memory.
    targets: Vec<Target>,
    /// Their places in the topology.
    places: Vec<u32>,
    marks: Arc<Marks>,
    rows: Mutex<Rows>,
}

impl Board {
    /// Of the nodes at these places that serve the type, which have not been read yet.
    pub(super) fn of(places: &[u32], request_type: RequestType, all: &[Arc<Node>]) -> Self {
        let of_type = |place: &u32| {
            let node = &all[*place as usize];
            Some(((*place, node.target(request_type)?.clone()), Arc::clone(node)))
        };
        let ((places, targets), nodes): ((Vec<_>, Vec<_>), Vec<_>) =
            places.iter().filter_map(of_type).unzip();
        let marks = Arc::new(Marks::new(nodes.len()));
        for (place, node) in (0..).zip(&nodes) {
            node.live.watch().join(&marks, place);
        }
        Self { rows: Mutex::new(Rows::of(&nodes)), nodes, targets, places, marks }
    }

    /// The rows as they are now.
    pub fn read(&self, policy: &Policy, now: Instant) -> MutexGuard<'_, Rows> {
        let mut rows = self.rows.lock();
        rows.catch_up(&self.nodes, &self.marks, policy, now);
        rows
    }

    /// What the rows tell now, of all nodes together.
    pub fn glance(&self, policy: &Policy, now: Instant) -> Glance {
        if self.nodes.is_empty() {
            return Glance::default();
        }
        self.read(policy, now).glance()
    }

    /// The rows again, a moment after they were read in this version: read anew only where somebody has read them by another
    /// policy meanwhile.
    pub fn read_again(&self, version: u64, policy: &Policy, now: Instant) -> MutexGuard<'_, Rows> {
        let mut rows = self.rows.lock();
        if rows.version() != version {
            rows.catch_up(&self.nodes, &self.marks, policy, now);
        }
        rows
    }

    /// The nodes, in order of their ids.
    pub fn nodes(&self) -> &[Arc<Node>] {
        &self.nodes
    }

    /// Where they take requests of the pool's type, in the same order.
    pub fn targets(&self) -> &[Target] {
        &self.targets
    }

    /// Place in the topology of the node at a place of the board.
    pub fn index(&self, place: usize) -> usize {
        self.places[place] as usize
    }
}

impl Drop for Board {
    fn drop(&mut self) {
        self.marks.retire();
    }
}

#[cfg(test)]
mod tests;
