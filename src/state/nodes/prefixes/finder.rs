//! Where is a block's slot, of any holder and of one?
//!
//! Each slot is in one table: the first holder's under the block, any other's under block and holder together. So
//! one more holder takes no more than one more block does, and finding one among a thousand takes no longer than among two.
//!
//! Both tables are cut in parts, which grow one after another: growing stops picks only for as long as a small part
//! takes, and at no moment is the whole there twice.

use hashbrown::HashTable;

use crate::domain::prefix::BlockKey;

/// Parts of a table: 5 million entries are moved 20,000 at a time.
const PARTS: usize = 256;

/// A table from hashes to slots, which tells no key: that is looked up where the slot is.
#[derive(Debug)]
pub(super) struct Finder {
    parts: Vec<HashTable<Entry>>,
}

/// A slot, and as much of its hash as its table needs: a table that is put in order anew must not ask for each slot, far away
/// in memory.
#[derive(Debug)]
struct Entry {
    tag: u32,
    slot: u32,
}

impl Default for Finder {
    fn default() -> Self {
        Self { parts: (0..PARTS).map(|_| HashTable::new()).collect() }
    }
}

impl Finder {
    /// The slot with this hash that is the one.
    pub(super) fn find(&self, hash: u64, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        let tag = tag(hash);
        let is_it = |entry: &Entry| entry.tag == tag && is_it(entry.slot);
        self.parts[part(hash)].find(whole(tag), is_it).map(|entry| entry.slot)
    }

    /// Adds a slot that is not there.
    pub(super) fn insert(&mut self, hash: u64, slot: u32) {
        let tag = tag(hash);
        self.parts[part(hash)].insert_unique(whole(tag), Entry { tag, slot }, |entry| whole(entry.tag));
    }

    /// Takes a slot out.
    pub(super) fn remove(&mut self, hash: u64, slot: u32) {
        if let Ok(entry) = self.parts[part(hash)].find_entry(whole(tag(hash)), |entry| entry.slot == slot) {
            entry.remove();
        }
    }

    /// Where this slot stands, until something is added.
    pub(super) fn place_of(&self, hash: u64, slot: u32) -> Option<usize> {
        self.parts[part(hash)].find_bucket_index(whole(tag(hash)), |entry| entry.slot == slot)
    }

    /// Takes out what stands there, or puts another in its place, under the same hash.
    pub(super) fn succeed(&mut self, hash: u64, place: usize, by: Option<u32>) {
        let Ok(mut entry) = self.parts[part(hash)].get_bucket_entry(place) else { return };
        match by {
            Some(by) => entry.get_mut().slot = by,
            None => drop(entry.remove()),
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

/// Hash of a block at one holder.
pub(super) fn of_pair(block: BlockKey, holder: u16) -> u64 {
    folded(block.get() ^ (u64::from(holder) + 1).wrapping_mul(0xD6E8_FEB8_6659_FD93))
}

/// The two halves of a product, on top of each other.
#[expect(clippy::cast_possible_truncation, reason = "both halves are kept")]
fn folded(number: u64) -> u64 {
    let product = u128::from(number ^ 0x2545_F491_4F6C_DD1D) * 0x9E37_79B9_7F4A_7C15;
    product as u64 ^ (product >> 64) as u64
}
