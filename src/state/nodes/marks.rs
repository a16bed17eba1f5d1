//! To which nodes of a board has something happened since it was last looked at?
//!
//! A writer that has changed a node marks it on every board where it stands; a board reads its marked nodes anew before it
//! is looked at. Marking takes no lock: a bit is set after the change and taken before the reading, so no change is
//! missed.

use std::sync::{
    Arc,
    atomic::{
        AtomicBool, AtomicU64,
        Ordering::{AcqRel, Relaxed, Release},
    },
};

use arc_swap::ArcSwap;

/// One bit for each node of a board.
#[derive(Debug)]
pub(super) struct Marks {
    words: Box<[AtomicU64]>,
    /// Whether the board is gone.
    retired: AtomicBool,
}

/// Where one node stands.
#[derive(Debug, Default)]
pub(super) struct Watch(ArcSwap<Vec<(Arc<Marks>, u32)>>);

impl Marks {
    /// For so many nodes, none of which is marked.
    pub(super) fn new(nodes: usize) -> Self {
        let words = (0..nodes.div_ceil(64)).map(|_| AtomicU64::new(0)).collect();
        Self { words, retired: AtomicBool::new(false) }
    }

    /// Takes the marks off, one after another.
    pub(super) fn take(&self, mut each: impl FnMut(usize)) {
        for (number, word) in self.words.iter().enumerate() {
            // Most words have no mark, and reading one is all it takes to know.
            let mut left = if word.load(Relaxed) == 0 { 0 } else { word.swap(0, AcqRel) };
            while left != 0 {
                each(64 * number + left.trailing_zeros() as usize);
                left &= left - 1;
            }
        }
    }

    /// Nobody looks at the board any more.
    pub(super) fn retire(&self) {
        self.retired.store(true, Relaxed);
    }

    fn mark(&self, place: u32) {
        if let Some(word) = self.words.get(place as usize / 64) {
            word.fetch_or(1 << (place % 64), Release);
        }
    }
}

impl Watch {
    /// Something has happened to the node.
    pub(super) fn changed(&self) {
        for (marks, place) in self.0.load().iter() {
            marks.mark(*place);
        }
    }

    /// The node stands at this place of a board. Boards that are gone are left.
    pub(super) fn join(&self, marks: &Arc<Marks>, place: u32) {
        self.0.rcu(|known| {
            let living = known.iter().filter(|(marks, _)| !marks.retired.load(Relaxed));
            living.cloned().chain([(Arc::clone(marks), place)]).collect::<Vec<_>>()
        });
    }
}

#[cfg(test)]
mod tests;
