//! Where is what hashes so?
//!
//! A table tells only numbers, by which its owner has the rest. It is cut in parts, which grow one after another: growing stops
//! picks only for as long as a small part takes, and at no moment is the whole there twice.

use hashbrown::HashTable;

use crate::domain::prefix::BlockKey;

/// Parts of a table: 5 million entries are moved 20,000 at a time.
const PARTS: usize = 256;

/// A table from hashes to numbers, which tells no key: that is looked up under the number.
#[derive(Debug)]
pub(super) struct Finder {
    parts: Vec<HashTable<Entry>>,
}

/// A number, and as much of its hash as the table needs: one that is put in order anew must not ask for what stands behind each,
/// far away in memory.
#[derive(Debug, PartialEq, Eq)]
struct Entry {
    tag: u32,
    number: u32,
}

impl Default for Finder {
    fn default() -> Self {
        Self { parts: (0..PARTS).map(|_| HashTable::new()).collect() }
    }
}

impl Finder {
    /// The number with this hash that is the one.
    pub(super) fn find(&self, hash: u64, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        let tag = tag(hash);
        let is_it = |entry: &Entry| entry.tag == tag && is_it(entry.number);
        self.parts[part(hash)].find(whole(tag), is_it).map(|entry| entry.number)
    }

    /// Adds a number that is not there.
    pub(super) fn insert(&mut self, hash: u64, number: u32) {
        let tag = tag(hash);
        self.parts[part(hash)].insert_unique(whole(tag), Entry { tag, number }, |entry| whole(entry.tag));
    }

    /// Takes a number out.
    pub(super) fn remove(&mut self, hash: u64, number: u32) {
        let searched = Entry { tag: tag(hash), number };
        let found = self.parts[part(hash)].find_entry(whole(searched.tag), |entry| *entry == searched);
        if let Ok(entry) = found {
            entry.remove();
        }
    }

    /// Puts one number in the place of another.
    pub(super) fn replace(&mut self, hash: u64, number: u32, by: u32) {
        let searched = Entry { tag: tag(hash), number };
        let found = self.parts[part(hash)].find_mut(whole(searched.tag), |entry| *entry == searched);
        if let Some(entry) = found {
            entry.number = by;
        }
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

/// A hash for a table, which takes its lowest bits and its seven highest.
fn whole(tag: u32) -> u64 {
    u64::from(tag) << 32 | u64::from(tag)
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
