//! What a node reports of its load.

use std::time::Duration;

use super::{Checks, Invalid, count, duration, lease_id, present};
use crate::{
    domain::{
        id::AdapterName,
        load::{NodeLoad, Ratio},
    },
    proto,
};

/// Checks a load; `field` is where it stands in the message.
pub fn load(field: &str, reported: Option<&proto::NodeLoad>) -> Result<NodeLoad, Invalid> {
    let reported = reported.ok_or_else(|| Invalid::field(field, "is required"))?;
    let mut checks = Checks::of(field);
    let requests = |value| count(value, NodeLoad::MAX_REQUESTS);
    let latency = |value| duration(value, Duration::ZERO, NodeLoad::MAX_LATENCY);
    let age = |value| duration(value, Duration::ZERO, NodeLoad::MAX_AGE);
    let adapters = adapters(&mut checks, &reported.loaded_adapters);
    let load = NodeLoad {
        cpu: checks.check_present("cpu_utilization", reported.cpu_utilization, Ratio::try_new),
        memory: checks.check_present("memory_utilization", reported.memory_utilization, Ratio::try_new),
        gpu: checks.check_present("gpu_utilization", reported.gpu_utilization, Ratio::try_new),
        gpu_memory: checks.check_present(
            "gpu_memory_utilization",
            reported.gpu_memory_utilization,
            Ratio::try_new,
        ),
        running: checks.check_present("running_request_count", reported.running_request_count, requests),
        waiting: checks.check_present("waiting_request_count", reported.waiting_request_count, requests),
        kv_cache: checks.check_present("kv_cache_utilization", reported.kv_cache_utilization, Ratio::try_new),
        first_token_latency: checks.check_present(
            "first_token_latency",
            reported.first_token_latency,
            latency,
        ),
        adapters,
        kv_capacity: checks.check_present("kv_capacity_tokens", reported.kv_capacity_tokens, kv_tokens),
        kv_active: checks.check_present("kv_active_tokens", reported.kv_active_tokens, kv_tokens),
        queued_tokens: checks.check_present("queued_prompt_tokens", reported.queued_prompt_tokens, kv_tokens),
        queued_work: checks.check_present("queued_work", reported.queued_work, work),
        speed: checks.check_present("work_per_ms", reported.work_per_ms, speed),
        decoding: checks.check_present("decoding_request_count", reported.decoding_request_count, requests),
        received_lease: checks.check_present(
            "received_lease_id",
            present(&reported.received_lease_id),
            lease_id,
        ),
        age: checks.check_present("age", reported.age, age),
    };
    checks.finish(Some(load))
}

fn adapters(checks: &mut Checks, names: &[String]) -> Vec<AdapterName> {
    let names = checks.bound("loaded_adapters", names, NodeLoad::MAX_ADAPTERS);
    let numbered = names.iter().enumerate();
    numbered
        .filter_map(|(i, name)| checks.check(format!("loaded_adapters[{i}]"), AdapterName::parse(name)))
        .collect()
}

fn kv_tokens(value: i64) -> Result<u64, String> {
    let tokens = u64::try_from(value).ok().filter(|tokens| *tokens <= NodeLoad::MAX_KV_TOKENS);
    tokens.ok_or_else(|| format!("must be from 0 to {}, got {value}", NodeLoad::MAX_KV_TOKENS))
}

fn work(work: f64) -> Result<f64, String> {
    // Adding zero turns -0.0 into 0.0.
    let valid = (0.0..=NodeLoad::MAX_WORK).contains(&work);
    if valid {
        Ok(work + 0.0)
    } else {
        Err(format!("must be from 0 to {:e}, got {work}", NodeLoad::MAX_WORK))
    }
}

fn speed(speed: f64) -> Result<f64, String> {
    let valid = speed.is_normal() && speed > 0.0 && speed <= NodeLoad::MAX_SPEED;
    let range = || format!("must be over 0 and at most {:e}, got {speed}", NodeLoad::MAX_SPEED);
    valid.then_some(speed).ok_or_else(range)
}

#[cfg(test)]
mod tests;
