//! Where the entries of the index are kept: in pieces of fixed size, so that growing copies nothing.

use std::{
    mem,
    ops::{Index, IndexMut},
};

/// No entry.
pub(super) const NONE: u32 = u32::MAX;

/// Entries of one piece.
const PIECE: usize = 1 << 12;

/// Entries by number. A number that was let go is given again.
#[derive(Debug)]
pub(super) struct Slab<T> {
    pieces: Vec<Vec<T>>,
    free: Vec<u32>,
    used: usize,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self { pieces: Vec::new(), free: Vec::new(), used: 0 }
    }
}

impl<T: Default> Slab<T> {
    /// Entries in use.
    pub(super) fn used(&self) -> usize {
        self.used
    }

    /// Whether so many more can be named.
    pub(super) fn has_room(&self, count: usize) -> bool {
        self.used + count < NONE as usize
    }

    /// Keeps an entry; `None` where there are as many as can be named.
    // Where it is called it is written field by field; copied whole it waits for what was written just before.
    #[inline(always)]
    pub(super) fn add(&mut self, entry: T) -> Option<u32> {
        let number = match self.free.pop() {
            Some(number) => {
                self[number] = entry;
                number
            }
            None => self.grow(entry)?,
        };
        self.used += 1;
        Some(number)
    }

    /// Lets an entry go.
    pub(super) fn remove(&mut self, number: u32) -> T {
        self.free.push(number);
        self.used -= 1;
        mem::take(&mut self[number])
    }

    fn grow(&mut self, entry: T) -> Option<u32> {
        if self.pieces.last().is_none_or(|piece| piece.len() == PIECE) {
            self.pieces.push(Vec::with_capacity(PIECE));
        }
        let full = (self.pieces.len() - 1) * PIECE;
        let piece = self.pieces.last_mut()?;
        let number = u32::try_from(full + piece.len()).ok().filter(|number| *number != NONE)?;
        piece.push(entry);
        Some(number)
    }
}

impl<T> Index<u32> for Slab<T> {
    type Output = T;

    fn index(&self, number: u32) -> &T {
        &self.pieces[number as usize / PIECE][number as usize % PIECE]
    }
}

impl<T> IndexMut<u32> for Slab<T> {
    fn index_mut(&mut self, number: u32) -> &mut T {
        &mut self.pieces[number as usize / PIECE][number as usize % PIECE]
    }
}
