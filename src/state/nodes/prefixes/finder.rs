//! Where is what hashes so?
//!
//! A table tells only numbers, by which its owner has the rest. What hashes so is at its place or at one of the next, before the first
//! that is empty (linear probing: Knuth, "The Art of Computer Programming" 3, 6.4, algorithms L and R). Tables of a large
//! fleet are far away in memory, and these few places are mostly in one line of the processor's cache: it is waited for once.
//!
//! It is cut in parts, which grow one after another: growing stops picks only for as long as a small part takes, and at no
//! moment is the whole there twice.

use std::{hint::black_box, mem};

use super::slab::NONE;
use crate::domain::prefix::BlockKey;

/// Parts of a table: 5 million entries are moved 20,000 at a time.
const PARTS: usize = 256;
/// Places of a part that has any, at least.
const PLACES_MIN: usize = 8;

/// A table from hashes to numbers, which tells no key: that is looked up under the number.
#[derive(Debug)]
pub(super) struct Finder {
    parts: Vec<Part>,
    taken: usize,
}

/// Places, as many as a power of two. A quarter of them at least is empty, so that every search ends, and soon.
#[derive(Debug, Default)]
struct Part {
    places: Vec<Entry>,
    taken: usize,
}

/// A number, and as much of its hash as the table needs: one that is put in order anew must not ask for what stands behind each,
/// far away in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Entry {
    tag: u32,
    number: u32,
}

impl Entry {
    const EMPTY: Self = Self { tag: 0, number: NONE };
}

impl Default for Finder {
    fn default() -> Self {
        Self { parts: (0..PARTS).map(|_| Part::default()).collect(), taken: 0 }
    }
}

impl Finder {
    /// Entries.
    pub(super) fn len(&self) -> usize {
        self.taken
    }

    /// The number with this hash that is the one.
    pub(super) fn find(&self, hash: u64, mut is_it: impl FnMut(u32) -> bool) -> Option<u32> {
        let (part, tag) = (&self.parts[part(hash)], tag(hash));
        let place = part.find(tag, |entry| entry.tag == tag && is_it(entry.number))?;
        Some(part.places[place].number)
    }

    /// Asks for the memory in which what hashes so is found: it comes while something else is done.
    pub(super) fn ask_for(&self, hash: u64) {
        let (part, tag) = (&self.parts[part(hash)], tag(hash));
        black_box(part.places.get(part.after(tag as usize, 0)).copied());
    }

    /// Adds a number that is not there.
    pub(super) fn insert(&mut self, hash: u64, number: u32) {
        self.parts[part(hash)].insert(Entry { tag: tag(hash), number });
        self.taken += 1;
    }

    /// Takes a number out.
    pub(super) fn remove(&mut self, hash: u64, number: u32) {
        let (part, searched) = (&mut self.parts[part(hash)], Entry { tag: tag(hash), number });
        if let Some(place) = part.find(searched.tag, |entry| *entry == searched) {
            part.remove(place);
            self.taken -= 1;
        }
    }

    /// Puts one number in the place of another.
    pub(super) fn replace(&mut self, hash: u64, number: u32, by: u32) {
        let (part, searched) = (&mut self.parts[part(hash)], Entry { tag: tag(hash), number });
        if let Some(place) = part.find(searched.tag, |entry| *entry == searched) {
            part.places[place].number = by;
        }
    }
}

impl Part {
    /// The place of the entry that is the one.
    fn find(&self, tag: u32, mut is_it: impl FnMut(&Entry) -> bool) -> Option<usize> {
        self.places_from(tag)
            .take_while(|&place| self.places[place].number != NONE)
            .find(|&place| is_it(&self.places[place]))
    }

    fn insert(&mut self, entry: Entry) {
        if 4 * (self.taken + 1) > 3 * self.places.len() {
            self.grow();
        }
        self.put(entry);
        self.taken += 1;
    }

    fn put(&mut self, entry: Entry) {
        let empty = self.places_from(entry.tag).find(|&place| self.places[place].number == NONE);
        self.places[empty.expect("a quarter is empty")] = entry;
    }

    fn grow(&mut self) {
        let places = (2 * self.places.len()).max(PLACES_MIN);
        let before = mem::replace(&mut self.places, vec![Entry::EMPTY; places]);
        before.into_iter().filter(|entry| entry.number != NONE).for_each(|entry| self.put(entry));
    }

    /// Empties a place. What comes after it and would no longer be found moves up.
    fn remove(&mut self, place: usize) {
        let mut gap = place;
        let mut next = self.after(place, 1);
        while self.places[next].number != NONE {
            let entry = self.places[next];
            if self.steps(entry.tag as usize, next) >= self.steps(gap, next) {
                self.places[gap] = entry;
                gap = next;
            }
            next = self.after(next, 1);
        }
        self.places[gap] = Entry::EMPTY;
        self.taken -= 1;
    }

    /// All places, from the one where a tag belongs.
    fn places_from(&self, tag: u32) -> impl Iterator<Item = usize> {
        (0..self.places.len()).map(move |steps| self.after(tag as usize, steps))
    }

    /// The place so many steps on; the first comes after the last.
    fn after(&self, place: usize, steps: usize) -> usize {
        place.wrapping_add(steps) & self.places.len().wrapping_sub(1)
    }

    /// How many steps it is from one place on to another.
    fn steps(&self, from: usize, to: usize) -> usize {
        to.wrapping_sub(from) & self.places.len().wrapping_sub(1)
    }
}

/// The part by the low half of the hash, of which the tag has nothing.
#[expect(clippy::cast_possible_truncation, reason = "the lowest bits are meant")]
fn part(hash: u64) -> usize {
    hash as usize % PARTS
}

/// The high half of the hash.
fn tag(hash: u64) -> u32 {
    (hash >> 32) as u32
}

/// Hash of a block. Its key is meant to be one, but some gateways count.
pub(super) fn of_block(block: BlockKey) -> u64 {
    folded(block.get())
}

/// Hash of a run at one holder.
pub(super) fn of_pair(run: u32, holder: u16) -> u64 {
    folded(u64::from(run) << 16 | u64::from(holder))
}

/// The two halves of a product, on top of each other.
#[expect(clippy::cast_possible_truncation, reason = "both halves are kept")]
fn folded(number: u64) -> u64 {
    let product = u128::from(number ^ 0x2545_F491_4F6C_DD1D) * 0x9E37_79B9_7F4A_7C15;
    product as u64 ^ (product >> 64) as u64
}

#[cfg(test)]
mod tests;
