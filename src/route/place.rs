//! Which node takes the request, and which are the fallbacks?
//!
//! The part of the decision that looks at nodes: filtered, scored, picked.

use std::time::Duration;

use super::{
    Picked, Scene, Turn,
    filter::{Filtered, filter},
    late::late,
    pick::{Keep, pick},
    reject,
    score::{Bid, Scored, Scores, cost::Market, score},
    shortlist::{Shortlist, shortlist},
    view::Boards,
};
use crate::{
    domain::{
        decision::{Rejection, RejectionReason, Route, Targets},
        policy::Balance,
        request::{Patience, RouteRequest},
        time::Instant,
    },
    state::demand,
};

/// What was seen of the nodes on the way.
#[derive(Debug)]
pub struct Seen<'a> {
    /// What passed the filters, and what did not.
    pub filtered: Filtered<'a>,
    /// The candidates, best first, where somebody asks for an explanation.
    pub ranked: Vec<Scored<'a>>,
    /// The policy that compared them.
    pub balance: Balance,
    /// What was learned of the pool.
    pub demand: demand::Seen,
}

/// Finds a node for the request on the boards of its pool, or says why there is none.
pub fn place<'a>(
    request: &RouteRequest,
    boards: &Boards<'a>,
    scene: Scene<'a>,
    turn: &mut Turn,
) -> (Result<Picked<'a>, Rejection>, Seen<'a>) {
    let Scene { topology, policy, .. } = scene;
    // Before the board is held: others decide while prefixes are looked up.
    let mut market = Market::of(request, boards.of_class(request.class()).1.speeds, scene, turn.now);
    let (mut filtered, searched) = match shortlist(request, boards, &market, scene, turn) {
        Some(Shortlist { filtered, searched }) => (filtered, Some(searched)),
        None => (filter(request, boards, scene, turn.now), None),
    };
    let scores = score(request, &mut filtered, searched, &mut market, scene, turn);
    let bids = scores.bids(&mut turn.chance);
    let is_full = scores.is_full(&bids);
    let keep = if request.explain { Keep::All } else { Keep::Best(1 + policy.fallbacks.0) };
    let late = late(request, scores.terms(), scores.market, &policy.cost);
    let ranked = pick(bids, scores.balance, keep, &mut turn.chance);
    let outcome = match ranked.first() {
        None => Err(reject::none_eligible(&filtered, topology, policy, turn.now)),
        // Whoever may wait for room does not pile up on a full node.
        Some(_) if is_full && request.patience != Patience::None => Err(reject::saturated(policy)),
        Some(best) => {
            let picked = || picked(request, (best, &ranked), &scores, filtered.spilled, scene, turn.now);
            late.map_or_else(|| Ok(picked()), Err)
        }
    };
    let asked = if request.explain { &ranked[..] } else { &[] };
    let ranked = asked.iter().map(|bid| scores.scored(bid)).collect();
    let Scores { balance, mut seen, .. } = scores;
    seen.refused = matches!(&outcome, Err(rejection) if rejection.reason == RejectionReason::Late);
    (outcome, Seen { filtered, ranked, balance, demand: seen })
}

/// The best one, and the route that leads there.
fn picked<'a>(
    request: &RouteRequest,
    (best, ranked): (&Bid, &[Bid]),
    scores: &Scores<'a, '_>,
    spilled: bool,
    scene: Scene<'_>,
    now: Instant,
) -> Picked<'a> {
    let Scored { node, trial, score, work, cache_blocks, .. } = scores.scored(best);
    let policy = scene.policy;
    let targets = ranked.iter().take(1 + policy.fallbacks.0).map(|bid| scores.candidate(bid).target.clone());
    // A node may tell a speed at which nothing would ever come.
    let reckoned =
        score.terms.and_then(|terms| Duration::try_from_secs_f64(terms.first_token_ms() / 1000.0).ok());
    let observed = || node.live.vitals().expected_first_token(request.request_type, now);
    let route = Route {
        targets: Targets::new(targets).expect("there is a best one"),
        lease: None,
        expected_first_token_latency: reckoned.or_else(observed),
        expected_cached_tokens: score.cached_tokens,
        balance: scores.balance,
        first_token_target: request.first_token_target(&policy.tiers),
        spilled,
        repeated: false,
        model: request.model.clone(),
    };
    Picked { node, trial, work, cache_blocks, route }
}
