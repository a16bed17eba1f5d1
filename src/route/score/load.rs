//! How loaded is a node, from 0 to 100?
//!
//! `load = 0.4 · cpu% + 0.3 · memory% + 0.3 · queue%`, weights from [`LoadPolicy`](crate::domain::policy::LoadPolicy), where
//! `queue% = 100 · min(queued / capacity, 1)`. A GPU that is reported takes the processor's place. To that comes a
//! term for recent failures, without which a node that fails fast would look idle.
//!
//! A report is old when it comes, so the queue is corrected by what we know ourselves: the picks made since (`unseen`),
//! and what is in flight beyond what the node says it runs. The report never outranks that.
//!
//! What a node does not tell (no agent, agent gone) it borrows from a candidate that does, drawn anew for each pick.
//! Taken as 0 it would draw all requests, as 100 none; taken as the mean it would never be the least, and where the
//! others' loads move up and down it would get nothing. Weight and slow start scale the capacity: each pick then costs
//! such a node more or less, and its share comes out in proportion.

use crate::{
    domain::{
        decision::Rung,
        explanation::LoadTerms,
        policy::Policy,
        time::{Chance, Instant},
    },
    route::filter::Candidate,
    state::nodes::{
        node::Node,
        reading::{Reading, Told},
    },
};

/// Lets each node borrow what it does not tell. The requests in execution too: without them all that is in flight on
/// a node without an agent would count as queued, and it would get less than its share.
pub fn borrow(candidates: &mut [Candidate<'_>], chance: &mut Chance) {
    borrow_one(candidates, |told| &mut told.cpu, chance);
    borrow_one(candidates, |told| &mut told.memory, chance);
    borrow_one(candidates, |told| &mut told.running, chance);
}

fn borrow_one<T: Copy>(
    candidates: &mut [Candidate<'_>],
    field: fn(&mut Told) -> &mut Option<T>,
    chance: &mut Chance,
) {
    let told = |candidate: &mut Candidate<'_>| *field(&mut candidate.reading.told);
    let telling = candidates.iter_mut().filter_map(told).count();
    if telling == 0 || telling == candidates.len() {
        return;
    }
    let lenders: Vec<T> = candidates.iter_mut().filter_map(told).collect();
    for Candidate { reading, .. } in candidates {
        field(&mut reading.told).get_or_insert_with(|| lenders[chance.usize(..lenders.len())]);
    }
}

/// The load of one node by itself.
pub fn of(node: &Node, policy: &Policy, now: Instant) -> LoadTerms {
    Reading::of(node, policy, Rung::Normal, now).load(&policy.load)
}
