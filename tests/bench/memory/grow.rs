//! By how much does resident memory grow with each entry of a table?
//!
//! The figure is the growth over the number of entries, and for tables that double the worst on the way.

use super::{resident, said::Failure};

/// Entries of the tables that hold as many.
pub(crate) const ENTRIES: usize = 1_000_000;
/// Small tables cost little however wasteful; from a tenth on they count.
pub(crate) const COUNTS_FROM: usize = ENTRIES / 10;

/// What was measured, and the bound that the project holds itself to.
pub(crate) struct Figure {
    /// What there was one more of.
    pub(crate) name: &'static str,
    /// Bytes of one, in the end.
    pub(crate) bytes: usize,
    /// Most bytes of one, on the way.
    pub(crate) worst: usize,
    /// Most that it may be.
    pub(crate) bytes_max: usize,
}

impl Figure {
    /// Of so many at once, that took so many bytes together.
    pub(crate) fn of(name: &'static str, bytes_max: usize, count: usize, total: usize) -> Self {
        let bytes = total / count;
        Self { name, bytes, worst: bytes, bytes_max }
    }
}

/// Adds entries one by one.
pub(crate) fn grow(
    name: &'static str,
    bytes_max: usize,
    mut add: impl FnMut(usize) -> Result<(), Failure>,
) -> Result<Figure, Failure> {
    let before = resident::of("self")?;
    let (mut bytes, mut worst) = (0, 0);
    for number in 1..=ENTRIES {
        add(number)?;
        if number >= COUNTS_FROM && number % 10_000 == 0 {
            bytes = resident::of("self")?.saturating_sub(before) / number;
            worst = worst.max(bytes);
        }
    }
    Ok(Figure { name, bytes, worst, bytes_max })
}
