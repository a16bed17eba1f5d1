//! On what fleet and under what policy do benchmarks decide?
//!
//! Nodes that nobody reports for again: their one report holds, so that no report runs beside what is measured. They
//! tell what an engine tells (cache, queue, speed), so that `auto` reckons expected costs.

use std::{
    collections::BTreeMap,
    num::{NonZeroU32, NonZeroU64},
    time::Duration,
};

use pointsman::{
    domain::{
        id::{ModelName, NodeId},
        limit::LimitPolicy,
        load::{NodeLoad, Ratio},
        node::{NodeSpec, RequestType, ServedModel},
        policy::{LeasePolicy, NodesMax, Policy},
        time::{Chance, Instant},
    },
    state::State,
};

use super::said::Failure;

/// Tokens that a node's cache holds: 1,024 blocks.
const CACHE_TOKENS: u64 = 1024 * 256;
/// Far more than is ever in flight: no pool is busy.
const QUEUE: NonZeroU32 = NonZeroU32::new(1_000_000).expect("it is not 0");

/// What an operator has who changed nothing but the bounds.
pub(crate) fn policy() -> Policy {
    Policy {
        leases: LeasePolicy { live_max: 4_000_000, ttl: Duration::from_mins(5), ..LeasePolicy::default() },
        nodes_max: NodesMax(100_000),
        limits: LimitPolicy { rules: [].into(), ..LimitPolicy::default() },
        ..Policy::default()
    }
}

/// Puts so many reported nodes of class normal into the table. They serve one of so many models each, in turn.
pub(crate) fn fill(
    state: &State,
    policy: &Policy,
    nodes: usize,
    models: usize,
    now: Instant,
) -> Result<(), Failure> {
    let specs: Vec<_> = (0..nodes).map(|number| spec(number, models)).collect::<Result<_, _>>()?;
    // All at once: each change of membership makes a new topology.
    state.nodes.configure(specs.clone(), policy)?;
    let mut chance = Chance::with_seed(7);
    for spec in specs {
        let session = state.nodes.admit(spec, policy)?;
        session.apply(1, load(&mut chance)?, now, &policy.freshness);
    }
    Ok(())
}

/// Name of a model by its number.
pub(crate) fn model(number: usize) -> String {
    format!("model-{number}")
}

fn spec(number: usize, models: usize) -> Result<NodeSpec, Failure> {
    let uri = format!("http://10.0.{}.{}:8000", number / 250, number % 250 + 1);
    let served = ServedModel {
        name: ModelName::parse(&model(number % models))?,
        versions: Vec::new(),
        request_types: Vec::new(),
    };
    Ok(NodeSpec {
        endpoints: BTreeMap::from([(RequestType::Text, uri.into())]),
        models: vec![served],
        queue_capacity: Some(QUEUE),
        kv_tokens: NonZeroU64::new(CACHE_TOKENS),
        ..NodeSpec::of(NodeId::parse(&format!("node-{number:05}"))?)
    })
}

fn load(chance: &mut Chance) -> Result<NodeLoad, Failure> {
    let mut share = || Ratio::try_new(0.2 + 0.4 * chance.f64()).map(Some);
    let (cpu, memory, kv_cache) = (share()?, share()?, share()?);
    let queued = chance.u64(0..4000);
    Ok(NodeLoad {
        cpu,
        memory,
        kv_cache,
        running: Some(chance.u32(1..32)),
        waiting: Some(chance.u32(0..4)),
        kv_capacity: Some(CACHE_TOKENS),
        kv_active: Some(chance.u64(..CACHE_TOKENS / 2)),
        queued_tokens: Some(queued),
        queued_work: Some(queued as f64),
        speed: Some(10.0 + 10.0 * chance.f64()),
        decoding: Some(chance.u32(1..32)),
        ..NodeLoad::default()
    })
}
