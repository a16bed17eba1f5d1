//! Must every node be looked at?
//!
//! Where nothing is out of the ordinary, no: the board of the pool knows which of its nodes can be among the cheapest, and
//! only these become candidates. The decision is the same as by a look at all.

use std::{hint::black_box, sync::Arc};

use super::{
    Scene, Turn,
    filter::{Candidate, Filtered, exceeds, is_wanted},
    score::{self, cost::Market},
    view::{Boards, View},
};
use crate::{
    domain::{
        decision::Rung,
        policy::{Balance, Refusal, Spill},
        request::{Priority, RouteRequest},
    },
    state::nodes::{
        board::{Board, Census, Glance, Rows, Search},
        prefixes::Occupancy,
        standing::{Speeds, Standing},
    },
};

/// Fewer nodes are all looked at, which costs no more.
const MANY: usize = 16;

/// The candidates among which the cheapest are, and what is known of the others.
#[derive(Debug)]
pub struct Shortlist<'a> {
    /// The candidates.
    pub filtered: Filtered<'a>,
    /// What the search has told besides.
    pub searched: Searched,
}

/// What the board has told already.
#[derive(Debug)]
pub struct Searched {
    /// Where each candidate stands; its cache as it was not long ago.
    pub standings: Vec<Standing>,
    /// Of those that are no candidates.
    pub rest: Rest,
}

/// What is known of all nodes without a look at each.
#[derive(Debug, Clone, Copy)]
pub struct Rest {
    /// How busy they are, from 0 to 1; `None` where that was reckoned lately.
    pub busy: Option<f64>,
    /// Whether each has as many requests in its queue as it takes.
    pub is_full: bool,
}

/// Looks for the cheapest nodes in a market of the request's own class; `None` where all nodes must be looked at.
pub fn shortlist<'a>(
    request: &RouteRequest,
    boards: &Boards<'a>,
    market: &Market,
    scene: Scene<'_>,
    turn: &mut Turn,
) -> Option<Shortlist<'a>> {
    let (board, Glance { census, speeds, version }) = *boards.of_class(request.class());
    if board.nodes().len() < MANY || !is_plain(request, scene) {
        return None;
    }
    let balance = score::resolve(request, census.telling, census.live(), scene.policy);
    if balance != Balance::ExpectedCost || !is_calm(&census, board, scene, turn) {
        return None;
    }
    let mut rows = board.read_again(version, scene.policy, turn.now);
    let mut places = search(request, board, &mut rows, market, scene, turn);
    places.retain(|place| is_wanted(request, &board.nodes()[*place], &rows.readings()[*place]));
    let candidates = places.iter().map(|place| Candidate::plain(View::of(board, &rows, *place))).collect();
    let standings = places.iter().map(|place| rows.standing(*place)).collect();
    let filtered = plain(request, candidates, speeds);
    let rest =
        Rest { busy: rows.busy(market.busy_wait_ms(), turn.now), is_full: census.least_pressure >= 1.0 };
    // From here on others may decide: they do not wait for this pick's memory.
    drop(rows);
    filtered.candidates.iter().for_each(ask_for);
    let searched = Searched { standings, rest };
    (!filtered.candidates.is_empty()).then_some(Shortlist { filtered, searched })
}

/// Asks for the memory that a pick of the node needs, while there is still something to do until it comes: of a large fleet it is
/// far away, and who waits for one piece after the other waits several times as long.
fn ask_for(Candidate { node, target, .. }: &Candidate<'_>) {
    let live = &node.live;
    let cache = live.occupancy.as_deref().map(Occupancy::number);
    let counts = (Arc::strong_count(node), live.counts().in_flight, live.ledger.outstanding().front);
    black_box((target.node().as_bytes().first().copied(), counts, cache));
}

/// Whether the request asks nothing that a board does not know.
fn is_plain(request: &RouteRequest, scene: Scene<'_>) -> bool {
    let policy = scene.policy;
    let takes_any = policy.cost.refuse_late != Refusal::Never && request.priority == Priority::Low;
    let spills = policy.spill.when == Spill::WhenOverloaded;
    !request.explain && request.version.is_none() && request.adapter.is_none() && !takes_any && !spills
}

/// Whether the health of the nodes is judged as always: no trial is due, and not too many are lost.
fn is_calm(census: &Census, board: &Board, scene: Scene<'_>, turn: &Turn) -> bool {
    let policy = scene.policy;
    census.half_open == 0
        && !exceeds(census.ejected, board.nodes().len(), policy.breaker.ejected_share_max)
        && (census.silent == 0 || !scene.topology.is_frozen(&policy.freshness, turn.now))
}

fn search(
    request: &RouteRequest,
    board: &Board,
    rows: &mut Rows,
    market: &Market,
    scene: Scene<'_>,
    turn: &mut Turn,
) -> Vec<usize> {
    let search = Search {
        count: 1 + scene.policy.fallbacks.0 + request.excluded.len(),
        overlaps: market.overlaps(),
        wanted: market.wanted(),
        start: turn.chance.usize(..),
        now: turn.now,
    };
    rows.shortlist(board.nodes(), &search, market)
}

fn plain<'a>(request: &RouteRequest, candidates: Vec<Candidate<'a>>, speeds: Speeds) -> Filtered<'a> {
    let class = request.class();
    Filtered { candidates, speeds, class, spilled: false, rung: Rung::Normal, dropped: Vec::new() }
}

#[cfg(test)]
mod tests;
