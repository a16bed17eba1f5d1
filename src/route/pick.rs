//! Which candidate gets the request, and which are the fallbacks?
//!
//! The cheapest one; of two that cost the same, the one with the shorter queue; exact ties fall at random, so that nodes
//! nobody knows anything about share alike. Power of two
//! choices takes the cheaper of two drawn at random (Mitzenmacher, "The Power of Two Choices in Randomized Load
//! Balancing", 2001) and the fallbacks by cost.

use std::cmp::Ordering;

use super::score::Bid;
use crate::domain::{policy::Balance, time::Chance};

/// How many to put in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// The best ones.
    Best(usize),
    /// All, for an explanation.
    All,
}

/// Puts the picked candidate first and the next best after it.
pub fn pick(mut bids: Vec<Bid>, balance: Balance, keep: Keep, chance: &mut Chance) -> Vec<Bid> {
    let favoured = if balance == Balance::PowerOfTwo { favour_one_of_two(&mut bids, chance) } else { 0 };
    if let Keep::Best(count) = keep
        && count < bids.len()
    {
        bids[favoured..].select_nth_unstable_by(count - favoured, order);
        bids.truncate(count);
    }
    bids[favoured..].sort_unstable_by(order);
    bids
}

fn order(a: &Bid, b: &Bid) -> Ordering {
    let by_cost = a.cost.total_cmp(&b.cost);
    by_cost.then(a.pressure.total_cmp(&b.pressure)).then(a.draw.cmp(&b.draw))
}

/// Puts the cheaper of two distinct candidates, drawn at random, before all others; says how many stand there.
fn favour_one_of_two(bids: &mut [Bid], chance: &mut Chance) -> usize {
    if bids.len() < 2 {
        return 0;
    }
    let one = chance.usize(..bids.len());
    let two = (one + chance.usize(1..bids.len())) % bids.len();
    let better = if order(&bids[one], &bids[two]).is_le() { one } else { two };
    bids.swap(0, better);
    1
}
