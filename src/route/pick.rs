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
pub fn pick(bids: Vec<Bid>, balance: Balance, keep: Keep, chance: &mut Chance) -> Vec<Bid> {
    let draw = |bid| Drawn { bid, favoured: false, draw: chance.u64(..) };
    let mut drawn: Vec<_> = bids.into_iter().map(draw).collect();
    if balance == Balance::PowerOfTwo {
        favour_one_of_two(&mut drawn, chance);
    }
    if let Keep::Best(count) = keep
        && count < drawn.len()
    {
        drawn.select_nth_unstable_by(count, order);
        drawn.truncate(count);
    }
    drawn.sort_unstable_by(order);
    drawn.into_iter().map(|drawn| drawn.bid).collect()
}

/// A candidate on its way into the order.
#[derive(Debug, Clone, Copy)]
struct Drawn {
    bid: Bid,
    /// Whether it goes before all others.
    favoured: bool,
    /// Breaks ties.
    draw: u64,
}

fn order(a: &Drawn, b: &Drawn) -> Ordering {
    let by_favour = b.favoured.cmp(&a.favoured);
    let by_cost = a.bid.cost.total_cmp(&b.bid.cost);
    let by_pressure = a.bid.pressure.total_cmp(&b.bid.pressure);
    by_favour.then(by_cost).then(by_pressure).then(a.draw.cmp(&b.draw))
}

/// Favours the cheaper of two distinct candidates, drawn at random.
fn favour_one_of_two(drawn: &mut [Drawn], chance: &mut Chance) {
    if drawn.len() < 2 {
        return;
    }
    let one = chance.usize(..drawn.len());
    let two = (one + chance.usize(1..drawn.len())) % drawn.len();
    let better = if order(&drawn[one], &drawn[two]).is_le() { one } else { two };
    drawn[better].favoured = true;
}
