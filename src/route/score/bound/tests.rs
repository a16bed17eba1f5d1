use std::time::Duration;

use fearless_simd::Level;
use proptest::prelude::*;

use super::*;
use crate::{
    domain::{
        id::{ModelName, RequestId, TenantId},
        node::RequestType,
        policy::Policy,
        request::{RequestKey, RouteRequest},
        time::{Chance, Instant},
    },
    route::Scene,
    state::{State, nodes::standing::Speeds},
};

/// Of a pool that is as busy as the price says, and finds as much in its caches.
fn market(level: Level, prompt_tokens: u32, target: u64, (price, eviction): (f64, f64)) -> Market {
    let name = "any";
    let key = RequestKey {
        tenant: TenantId::parse(name).expect("a good name"),
        request: RequestId::parse(name).expect("a good name"),
    };
    let model = ModelName::parse(name).expect("a good name");
    let request = RouteRequest {
        prompt_tokens: Some(prompt_tokens),
        first_token_target: Some(Duration::from_millis(target)),
        ..RouteRequest::of(key, RequestType::Text, model)
    };
    let (state, policy) = (State::default(), Policy::default());
    let scene = Scene { state: &state, topology: &state.nodes.topology(), policy: &policy };
    let now = Instant::after_start(Duration::from_secs(100));
    let mut market = Market::of(&request, Speeds::default(), scene, now);
    (market.level, market.price, market.eviction) = (level, price, eviction);
    market
}

/// Any group; some of its numbers are 0, some are those of a node that must not be picked.
fn group(chance: &mut Chance) -> Group {
    let mut column = |most: f64| {
        std::array::from_fn(|_| match chance.u8(..10) {
            0 => 0.0,
            1 => Standing::OUT.pace,
            _ => most * chance.f64(),
        })
    };
    Group {
        free_at: column(200_000.0),
        backlog: column(5000.0),
        pace: column(1.0),
        decoding: column(64.0),
        context: column(1e5),
        lively: column(2000.0),
        block_share: column(0.01),
        typical: column(5000.0),
        typical_at: column(200_000.0),
    }
}

proptest! {
    /// The same decision on every machine.
    #[test]
    fn costs_are_the_same_to_the_last_bit_by_whatever_registers(
        seed in any::<u64>(),
        prompt_tokens in 1_u32..20_000,
        target in 1_u64..10_000,
        prices in (1.0..8.0, 0.0..2.0),
        likeness in 0.0..1.0,
    ) {
        let group = group(&mut Chance::with_seed(seed));
        let [wide, narrow] = [Level::new(), Level::baseline()].map(|level| market(level, prompt_tokens, target, prices));
        let ask = wide.ask(0);
        let one_by_one: Vec<_> = (0..WIDTH).map(|lane| narrow.cost(&group.get(lane), &ask).to_bits()).collect();
        prop_assert_eq!(wide.costs(&group, &ask).map(f64::to_bits).to_vec(), one_by_one);

        let typical = wide.typical(&ask, Typical::default());
        let bounds = |market: &Market| market.at_least(&group, &ask, &typical, likeness).map(f64::to_bits);
        prop_assert_eq!(bounds(&wide), bounds(&narrow));
    }
}
