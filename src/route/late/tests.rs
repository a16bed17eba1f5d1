use super::*;
use crate::{
    domain::{
        explanation::{LoadTerms, Score},
        id::{ModelName, NodeId, RequestId, TenantId},
        node::{NodeSpec, RequestType},
        policy::Policy,
        request::RequestKey,
        time::Instant,
    },
    route::Scene,
    state::{State, demand::Seen, nodes::standing::Speeds},
};

const NOW: Instant = Instant::from_nanos(3_600_000_000_000);

fn request(tier: Tier, priority: Priority) -> RouteRequest {
    let key = RequestKey {
        tenant: TenantId::parse("acme").expect("a good name"),
        request: RequestId::parse("r").expect("a good name"),
    };
    let model = ModelName::parse("m").expect("a good name");
    let first_token_target = Some(Duration::from_secs(4));
    RouteRequest { tier, priority, first_token_target, ..RouteRequest::of(key, RequestType::Text, model) }
}

fn free() -> RouteRequest {
    request(Tier::Free, Priority::Normal)
}

fn premium() -> RouteRequest {
    request(Tier::Premium, Priority::Normal)
}

fn low() -> RouteRequest {
    request(Tier::Free, Priority::Low)
}

/// How long a request waits for a node and how long it takes there, in ms.
type Times = (f64, f64);

fn score((wait, own): Times) -> Score {
    let terms = CostTerms {
        wait,
        own,
        price: 0.0,
        batching: 0.0,
        drag: 0.0,
        eviction: 0.0,
        adapter: 0.0,
        lateness: 0.0,
    };
    Score {
        cost: terms.total(),
        terms: Some(terms),
        cached_tokens: None,
        load: LoadTerms { cpu: 0.0, memory: 0.0, queue: 0.0, failures: 0.0 },
        queued: 0,
        in_flight: 0,
        slow_start: 1.0,
    }
}

/// The rejection where the pool has been so busy, and so large a share of requests was refused.
fn judge(request: &RouteRequest, nodes: &[Times], busy: f64, refused: f64) -> Option<Rejection> {
    let scores: Vec<_> = nodes.iter().map(|times| score(*times)).collect();
    let policy = CostPolicy { refuse_late: Refusal::Late, refuse_margin: 1.0, ..CostPolicy::default() };
    judge_by(request, &scores, busy, refused, &policy)
}

fn judge_by(
    request: &RouteRequest,
    scores: &[Score],
    busy: f64,
    refused: f64,
    cost: &CostPolicy,
) -> Option<Rejection> {
    let (state, policy) = (State::default(), Policy::default());
    let spec = NodeSpec::of(NodeId::parse("n").expect("a good id"));
    drop(state.nodes.admit(spec, &policy).expect("there is room"));
    let topology = state.nodes.topology();
    // What is first seen of a pool is taken for true; refusals so often.
    for turn in 0..1000 {
        let refused = f64::from(turn % 100) < 100.0 * refused;
        state.demand.observe(&request.pool(), Seen { busy: Some(busy), refused, ..Seen::default() }, NOW);
    }
    let scene = Scene { state: &state, topology: &topology, policy: &policy };
    late(
        request,
        scores.iter().map(|score| score.terms),
        &Market::of(request, Speeds::default(), scene, NOW),
        cost,
    )
}

#[test]
fn what_the_best_node_cannot_serve_in_time_is_refused() {
    assert!(judge(&free(), &[(3000.0, 400.0), (9000.0, 400.0)], 0.9, 0.0).is_none());
    let rejection = judge(&free(), &[(4000.0, 500.0), (9000.0, 400.0)], 0.9, 0.0).expect("it is late");
    assert_eq!(rejection.retry_delay, Some(Duration::from_millis(500)));
}

#[test]
fn nothing_is_refused_unless_the_policy_wants_it() {
    let policy = CostPolicy { refuse_late: Refusal::Never, ..CostPolicy::default() };
    assert!(judge_by(&free(), &[score((1e6, 1.0))], 0.9, 0.0, &policy).is_none());
}

#[test]
fn a_fleet_that_is_not_busy_refuses_nothing() {
    assert!(judge(&free(), &[(1e6, 1e6)], 0.29, 0.0).is_none());
    assert!(judge(&free(), &[(1e6, 1e6)], 0.31, 0.0).is_some());
}

#[test]
fn a_long_prompt_on_an_idle_node_is_not_refused() {
    assert!(judge(&free(), &[(199.0, 1e6)], 0.9, 0.0).is_none());
}

#[test]
fn where_the_cost_of_a_node_is_not_known_nothing_is_refused() {
    let policy = CostPolicy { refuse_late: Refusal::Late, ..CostPolicy::default() };
    let untold = Score { terms: None, ..score((1e6, 1e6)) };
    assert!(judge_by(&free(), &[score((1e6, 1e6)), untold], 0.9, 0.0, &policy).is_none());
    assert!(judge_by(&free(), &[], 0.9, 0.0, &policy).is_none());
}

#[test]
fn low_priority_is_refused_first() {
    let tight = [(1500.0, 400.0)];
    assert!(judge(&low(), &tight, 0.9, 0.0).is_some());
    assert!(judge(&free(), &tight, 0.9, 0.0).is_none());
    assert!(judge(&request(Tier::Premium, Priority::Low), &tight, 0.9, 0.0).is_none());
    // Its own length is not held against it, and any node that takes it soon will do.
    assert!(judge(&low(), &[(900.0, 2500.0)], 0.9, 0.0).is_none());
}

#[test]
fn the_more_is_refused_the_less_of_the_free_is_admitted() {
    let tight = [(1500.0, 400.0)];
    assert!(judge(&free(), &tight, 0.9, 0.0).is_none());
    assert!(judge(&free(), &tight, 0.9, 0.9).is_some());
    assert!(judge(&premium(), &tight, 0.9, 0.9).is_none());
    // No further than to the bound.
    assert!(judge(&free(), &[(700.0, 400.0)], 0.9, 1.0).is_none());
}

#[test]
fn while_much_is_refused_heavy_requests_go_first() {
    let heavy = [(1500.0, 2000.0)];
    assert!(judge(&premium(), &heavy, 0.9, 0.0).is_none());
    assert!(judge(&premium(), &heavy, 0.9, 0.9).is_some());
}

#[test]
fn a_node_that_stands_still_asks_nobody_to_stay_away_for_years() {
    for wait in [1e9, 1e300, f64::INFINITY] {
        let rejection = judge(&free(), &[(wait, 1.0)], 0.9, 0.0).expect("it is late");
        assert_eq!(rejection.retry_delay, Some(AGAIN_MAX));
    }
}
