//! Which of a group's numbers is the least?
//!
//! Several are compared at once, and without a branch that depends on one of them: which is the least nobody could foresee.

use fearless_simd::{Level, Simd, dispatch, f64x8, prelude::*};

use super::pyramid::WIDTH;

/// The least of them. Like all here it must come to lie in the caller, where the widest registers may be used; so there are no
/// closures.
#[inline(always)]
pub(super) fn least<S: Simd>(simd: S, numbers: &[f64; WIDTH]) -> f64 {
    let (low, high) = halves(simd, numbers);
    low.min(high).reduce_min()
}

/// Which is the least; of equals the first one from `start` on, around the circle.
pub(super) fn cheapest(level: Level, costs: &[f64; WIDTH], start: usize) -> usize {
    let lanes = dispatch!(level, simd => lanes_of_least(simd, costs));
    let start = start % WIDTH;
    let from_start = lanes.rotate_right(u32::try_from(start).unwrap_or(0));
    (start + from_start.trailing_zeros() as usize) % WIDTH
}

/// A bit for each that is the least.
#[inline(always)]
fn lanes_of_least<S: Simd>(simd: S, numbers: &[f64; WIDTH]) -> u16 {
    const { assert!(WIDTH == u16::BITS as usize) };
    let (low, high) = halves(simd, numbers);
    let least = f64x8::splat(simd, low.min(high).reduce_min());
    let (low, high) = (low.simd_le(least).to_bitmask(), high.simd_le(least).to_bitmask());
    u16::try_from(low | high << (WIDTH / 2)).unwrap_or(0)
}

#[inline(always)]
fn halves<S: Simd>(simd: S, numbers: &[f64; WIDTH]) -> (f64x8<S>, f64x8<S>) {
    let (low, high) = numbers.split_at(WIDTH / 2);
    (f64x8::from_slice(simd, low), f64x8::from_slice(simd, high))
}
