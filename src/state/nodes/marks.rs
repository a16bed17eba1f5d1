//! To which nodes of a board has something happened since it was last looked at?
//!
//! A writer that has changed a node marks it on every board where it stands; a board reads its marked nodes anew before it
//! is looked at. Marking takes no lock: a bit is set after the change and taken before the reading, so no change is
//! missed.

use std::{
    iter,
    sync::{
        Arc,
        atomic::{
            AtomicBool, AtomicU64,
            Ordering::{AcqRel, Relaxed, Release},
        },
    },
};

use arc_swap::ArcSwap;

/// Bits of a word.
const BITS: usize = 64;

/// Bits for each node of a board.
#[derive(Debug)]
pub(super) struct Marks {
    /// By kind of change.
    words: Box<[[AtomicU64; 2]]>,
    /// Which words have a mark: mostly one or none, so that the others need not be read.
    marked: Box<[AtomicU64]>,
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
        let words: Box<[_]> = (0..nodes.div_ceil(BITS)).map(|_| Default::default()).collect();
        let marked = (0..words.len().div_ceil(BITS)).map(|_| AtomicU64::default()).collect();
        Self { words, marked, retired: AtomicBool::new(false) }
    }

    /// Takes the marks off, one node after another.
    pub(super) fn take(&self, mut each: impl FnMut(usize, Change)) {
        for (number, marked) in self.marked.iter().enumerate() {
            for word in places(number, taken(marked)) {
                let [any, sums] = self.words[word].each_ref().map(taken);
                places(word, any).for_each(|place| each(place, Change::Any));
                places(word, sums & !any).for_each(|place| each(place, Change::Sums));
            }
        }
    }

    /// Nobody looks at the board any more.
    pub(super) fn retire(&self) {
        self.retired.store(true, Relaxed);
    }

    fn mark(&self, place: u32, change: Change) {
        let (word, bit) = (place as usize / BITS, place as usize % BITS);
        if let Some(words) = self.words.get(word) {
            words[change as usize].fetch_or(1 << bit, Release);
            // After the mark: whoever takes this off finds that.
            self.marked[word / BITS].fetch_or(1 << (word % BITS), Release);
        }
    }
}

/// The bits, which are off then. Reading them is all it takes where there are none.
fn taken(word: &AtomicU64) -> u64 {
    if word.load(Relaxed) == 0 { 0 } else { word.swap(0, AcqRel) }
}

/// The places for which the bits of a word stand.
fn places(number: usize, bits: u64) -> impl Iterator<Item = usize> {
    let rest = |bits: &u64| Some(bits & (bits - 1)).filter(|rest| *rest != 0);
    let all = iter::successors(Some(bits).filter(|bits| *bits != 0), rest);
    all.map(move |bits| BITS * number + bits.trailing_zeros() as usize)
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
