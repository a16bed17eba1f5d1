//! Where the entries of the index are kept: in pieces of fixed size, so that growing copies nothing.

use std::ops::{Index, IndexMut};

use crate::domain::prefix::BlockKey;

/// No slot.
pub(super) const NONE: u32 = u32::MAX;

/// Slots of one piece.
const PIECE: usize = 1 << 14;

/// A block that a node holds: 40 bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slot {
    pub(super) block: BlockKey,
    /// The holder's slot of the block before this one; [`NONE`] where this begins a prompt.
    pub(super) parent: u32,
    /// Slots of the holder whose parent this is.
    pub(super) children: u32,
    /// The holder's next more recently used.
    pub(super) prev: u32,
    /// The holder's next less recently used; the next free one, where this is free.
    pub(super) next: u32,
    /// The next holder's slot of the same block.
    pub(super) peer: u32,
    /// The holder's before in that list; in the first of them, how many there are.
    pub(super) before: u32,
    /// When it was last used.
    pub(super) used: u32,
    pub(super) holder: u16,
    pub(super) fate: Fate,
    /// Whether this is the first of those that hold the block.
    pub(super) is_first: bool,
}

/// Whether a slot stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It does.
    Stays,
    /// It is about to be let go, or has been.
    Goes,
}

/// All of them.
#[derive(Debug)]
pub(super) struct Slots {
    pieces: Vec<Vec<Slot>>,
    free: u32,
    used: usize,
}

impl Default for Slots {
    fn default() -> Self {
        Self { pieces: Vec::new(), free: NONE, used: 0 }
    }
}

impl Slots {
    /// Slots in use.
    pub(super) fn used(&self) -> usize {
        self.used
    }

    /// The slot with this number, if there ever was one.
    pub(super) fn get(&self, slot: u32) -> Option<&Slot> {
        self.pieces.get(slot as usize / PIECE)?.get(slot as usize % PIECE)
    }

    /// Keeps a slot; `None` where there are as many as can be named.
    pub(super) fn add(&mut self, slot: Slot) -> Option<u32> {
        let number = if self.free == NONE { self.grow(slot)? } else { self.reuse(slot) };
        self.used += 1;
        Some(number)
    }

    /// Lets a slot go.
    pub(super) fn free(&mut self, slot: u32) {
        self[slot].fate = Fate::Goes;
        self[slot].next = std::mem::replace(&mut self.free, slot);
        self.used -= 1;
    }

    fn reuse(&mut self, slot: Slot) -> u32 {
        let number = self.free;
        self.free = self[number].next;
        self[number] = slot;
        number
    }

    fn grow(&mut self, slot: Slot) -> Option<u32> {
        if self.pieces.last().is_none_or(|piece| piece.len() == PIECE) {
            self.pieces.push(Vec::with_capacity(PIECE));
        }
        let full = (self.pieces.len() - 1) * PIECE;
        let piece = self.pieces.last_mut()?;
        let number = u32::try_from(full + piece.len()).ok().filter(|number| *number != NONE)?;
        piece.push(slot);
        Some(number)
    }
}

impl Index<u32> for Slots {
    type Output = Slot;

    fn index(&self, slot: u32) -> &Slot {
        &self.pieces[slot as usize / PIECE][slot as usize % PIECE]
    }
}

impl IndexMut<u32> for Slots {
    fn index_mut(&mut self, slot: u32) -> &mut Slot {
        &mut self.pieces[slot as usize / PIECE][slot as usize % PIECE]
    }
}
