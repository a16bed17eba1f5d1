//! How much does one more node take, and one more request in flight?

use std::time::Duration;

use pointsman::{
    domain::{
        id::{ModelName, RequestId, TenantId},
        node::RequestType,
        request::{RequestKey, RouteRequest},
        time::{Chance, Instant},
    },
    route::{self, Turn},
    state::State,
};

use super::{
    fleet,
    grow::{ENTRIES, Figure, grow},
    resident,
    said::Failure,
};

const NODES: usize = 10_000;
const NOW: Instant = Instant::from_nanos(1_000_000_000);
/// Most bytes of a node that has declared and reported everything.
const NODE_MAX: usize = 8192;
/// Most bytes of a lease.
const LEASE_MAX: usize = 1024;

/// Nodes of one model that have reported.
pub(crate) fn nodes() -> Result<Figure, Failure> {
    let state = State::default();
    let before = resident::of("self")?;
    fleet::fill(&state, &fleet::policy(), NODES, 1, NOW)?;
    let total = resident::of("self")?.saturating_sub(before);
    // Freed, its memory would be taken for the next table, and that would seem to need none.
    std::mem::forget(state);
    Ok(Figure::of("node", NODE_MAX, NODES, total))
}

/// Requests in flight on a few nodes.
pub(crate) fn leases() -> Result<Figure, Failure> {
    let (state, policy) = (State::default(), fleet::policy());
    fleet::fill(&state, &policy, 10, 1, NOW)?;
    let key = RequestKey { tenant: TenantId::parse("acme")?, request: RequestId::parse("none")? };
    let mut request = RouteRequest::of(key, RequestType::Text, ModelName::parse(&fleet::model(0))?);
    request.lease_ttl = Some(Duration::from_mins(5));
    let figure = grow("lease", LEASE_MAX, |number| {
        request.key.request = RequestId::parse(&format!("{number:016x}"))?;
        let mut turn = Turn { now: NOW, chance: Chance::with_seed(number as u64) };
        let decided = route::decide(&request, &state, &policy, &mut turn);
        decided.outcome.map(drop).map_err(|refused| format!("no route: {refused:?}").into())
    })?;
    assert_eq!(state.leases.live(), ENTRIES);
    std::mem::forget(state);
    Ok(figure)
}
