//! How little can a request cost on any node of a group?
//!
//! Of a group only the least of each column is known, and these are of different nodes: where loads are even, the node with
//! the shortest wait is the dearest otherwise. Summed up, the least of all columns would be far below the cheapest node, and
//! no group could be passed over. So the board keeps one sum more, what a typical request costs on each node. With `s`
//! the cost of a typical request but for the wait, and `r` such that each term of this request's cost is at least `r`
//! times the typical one's,
//!
//! `cost ≥ wait + r · s + rest · pace ≥ r · min(wait + s) + (1 - r) · min wait + rest · min pace`
//!
//! where `rest` is what this request's own work costs beyond `r` times the typical one's. By how late the request must be
//! at least the cost grows too.

use fearless_simd::dispatch;

use super::cost::{Demands, HOLD_UP_MS, Market, bounded, lateness};
use crate::state::nodes::{
    board::{Asked, Group, Typical, WIDTH},
    standing::Standing,
};

/// What each request weighs in what is typical.
const GAIN: f64 = 0.02;

/// A number for each of a group. All of it must come to lie in the caller, where the processor's widest registers may be used.
#[inline(always)]
fn lanes(number: impl Fn(usize) -> f64) -> [f64; WIDTH] {
    let mut numbers = [0.0; WIDTH];
    for (lane, own) in numbers.iter_mut().enumerate() {
        *own = number(lane);
    }
    numbers
}

impl Asked for Market {
    type Ask = Demands;

    fn ask(&self, depth: u32) -> Demands {
        self.demands(depth)
    }

    fn cost(&self, standing: &Standing, ask: &Demands) -> f64 {
        self.terms(standing, ask).total()
    }

    fn costs(&self, group: &Group, ask: &Demands) -> [f64; WIDTH] {
        dispatch!(self.level, _ => lanes(|lane| self.terms(&group.get(lane), ask).total()))
    }

    fn at_least(&self, group: &Group, ask: &Demands, typical: &Typical, likeness: f64) -> [f64; WIDTH] {
        let typical_own = likeness * typical.price * typical.work;
        let rest = self.price * ask.work - typical_own;
        dispatch!(self.level, _ => lanes(|lane| {
            let best = group.get(lane);
            let wait = self.wait(&best);
            let own = ask.work * best.pace;
            let left = best.typical_at - self.now_ms;
            let typical = if left > best.typical { left } else { best.typical };
            let late = lateness(wait + own - self.target_ms, &self.weights);
            likeness * typical + (1.0 - likeness) * wait + rest * best.pace + late
        }))
    }

    fn typical(&self, ask: &Demands, before: Typical) -> Typical {
        let gain = if before.work > 0.0 { GAIN } else { 1.0 };
        let moved = |before: f64, now: f64| before + gain * (now - before);
        let work = moved(before.work, ask.work);
        let eviction = self.eviction * self.renew(work);
        let blocks = moved(before.blocks, ask.blocks);
        Typical { work, blocks, price: self.price, drag: self.drag, eviction }
    }

    fn typical_cost(&self, standing: &Standing, typical: &Typical) -> f64 {
        let own = typical.work * standing.pace;
        let fill = (standing.lively + typical.blocks) * standing.block_share;
        typical.price * own
            + self.weights.batching * standing.decoding * bounded(own, HOLD_UP_MS)
            + typical.drag * standing.context
            + typical.eviction * fill * fill * fill
    }

    fn likeness(&self, ask: &Demands, typical: &Typical) -> f64 {
        let share = |this: f64, that: f64| if this < that { this / that } else { 1.0 };
        let (work, blocks) = (share(ask.work, typical.work), share(ask.blocks, typical.blocks));
        // What holds up others grows no faster than the work.
        let own = share(self.price * ask.work, typical.price * typical.work).min(work);
        let eviction = share(self.eviction * ask.renew, typical.eviction) * blocks * blocks * blocks;
        own.min(share(self.drag, typical.drag)).min(eviction)
    }
}

#[cfg(test)]
mod tests;
