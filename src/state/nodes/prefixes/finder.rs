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

/// A table from hashes to slots, which tells neither: both are looked up where the slots are.
#[derive(Debug)]
pub(super) struct Finder {
    parts: Vec<HashTable<u32>>,
}

impl Default for Finder {
    fn default() -> Self {
        Self { parts: (0..PARTS).map(|_| HashTable::new()).collect() }
    }
}

impl Finder {
    /// The slot with this hash that is the one.
    pub(super) fn find(&self, hash: u64, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        self.parts[part(hash)].find(hash, |&slot| is_it(slot)).copied()
    }

    /// Adds a slot that is not there.
    pub(super) fn insert(&mut self, hash: u64, slot: u32, hash_of: impl Fn(u32) -> u64) {
        self.parts[part(hash)].insert_unique(hash, slot, |&slot| hash_of(slot));
    }

    /// Takes a slot out.
    pub(super) fn remove(&mut self, hash: u64, slot: u32) {
        if let Ok(entry) = self.parts[part(hash)].find_entry(hash, |&known| known == slot) {
            entry.remove();
        }
    }

    /// Where this slot stands, until something is added.
    pub(super) fn place_of(&self, hash: u64, slot: u32) -> Option<usize> {
        self.parts[part(hash)].find_bucket_index(hash, |&known| known == slot)
    }

    /// Takes out what stands there, or puts another in its place, under the same hash.
    pub(super) fn succeed(&mut self, hash: u64, place: usize, by: Option<u32>) {
        let Ok(mut entry) = self.parts[part(hash)].get_bucket_entry(place) else { return };
        match by {
            Some(by) => *entry.get_mut() = by,
            None => drop(entry.remove()),
        }
    }
}

/// The part by bits that the tables themselves do not use: those take the lowest and the seven highest.
fn part(hash: u64) -> usize {
    (hash >> 40) as usize % PARTS
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
