//! Who takes part, and how long did each of its turns take?

use super::{NODES, said::Failure, table::Row};

/// One that decides.
pub(super) trait Decides {
    /// Nanoseconds of a decision among so many nodes, over one run.
    fn nanos(&mut self, nodes: usize) -> Result<u64, Failure>;
}

/// One that decides, and its times for each fleet.
pub(super) struct Entrant {
    pub(super) name: &'static str,
    decider: Box<dyn Decides>,
    taken: [Vec<u64>; NODES.len()],
}

impl Entrant {
    pub(super) fn new(name: &'static str, decider: impl Decides + 'static) -> Self {
        Self { name, decider: Box::new(decider), taken: Default::default() }
    }

    /// Its turn at the fleet of this number.
    pub(super) fn turn(&mut self, fleet: usize) -> Result<(), Failure> {
        // Others had the caches since its last turn.
        self.decider.nanos(NODES[fleet])?;
        let nanos = self.decider.nanos(NODES[fleet])?;
        self.taken[fleet].push(nanos);
        Ok(())
    }

    /// Its medians.
    pub(super) fn row(self) -> Row {
        Row { name: self.name, medians: self.taken.map(median) }
    }
}

fn median(mut all: Vec<u64>) -> u64 {
    all.sort_unstable();
    all.get(all.len() / 2).copied().unwrap_or_default()
}
