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

/// Bits for each node of a board.
#[derive(Debug)]
pub(super) struct Marks {
    /// By kind of change.
    words: Box<[[AtomicU64; 2]]>,
    /// Whether the board is gone.
    retired: AtomicBool,
}

/// What has happened to a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// Anything.
    Any = 0,
    /// Only what we sent to it, or what its cache holds: that happens with each pick.
    Sums = 1,
}

/// Where one node stands.
#[derive(Debug, Default)]
pub(super) struct Watch(ArcSwap<Vec<(Arc<Marks>, u32)>>);

impl Marks {
    /// For so many nodes, none of which is marked.
    pub(super) fn new(nodes: usize) -> Self {
        let words = (0..nodes.div_ceil(64)).map(|_| Default::default()).collect();
        Self { words, retired: AtomicBool::new(false) }
    }

    /// Takes the marks off, one node after another.
    pub(super) fn take(&self, mut each: impl FnMut(usize, Change)) {
        // Most words have no mark, and reading one is all it takes to know.
        let take = |word: &AtomicU64| if word.load(Relaxed) == 0 { 0 } else { word.swap(0, AcqRel) };
        for (number, [any, sums]) in self.words.iter().enumerate() {
            let (any, sums) = (take(any), take(sums));
            for (bits, change) in [(any, Change::Any), (sums & !any, Change::Sums)] {
                let mut left = bits;
                while left != 0 {
                    each(64 * number + left.trailing_zeros() as usize, change);
                    left &= left - 1;
                }
            }
        }
    }

    /// Nobody looks at the board any more.
    pub(super) fn retire(&self) {
        self.retired.store(true, Relaxed);
    }

    fn mark(&self, place: u32, change: Change) {
        if let Some(words) = self.words.get(place as usize / 64) {
            words[change as usize].fetch_or(1 << (place % 64), Release);
        }
    }
}

impl Watch {
    /// Something has happened to the node.
    pub(super) fn changed(&self, change: Change) {
        for (marks, place) in self.0.load().iter() {
            marks.mark(*place, change);
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
