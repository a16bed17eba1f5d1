//! Does the policy fit together?

mod answers;
mod degradation;
mod limits;

use super::Checks;
use crate::{
    config::raw::policy::{
        Leases, Load, Policy,
        cost::Cost,
        liveness::{Breaker, Freshness},
        prefixes::Prefixes,
    },
    domain::{
        load::Ratio,
        policy::{
            self, BreakerPolicy, CostPolicy, Fallbacks, FreshnessPolicy, Learning, LeasePolicy, LoadPolicy,
            NodesMax, SpillPolicy, Tiers,
        },
        prefix::PrefixPolicy,
    },
};

/// Checks the section `policy`; `answer_bytes_max` is the server's.
pub(super) fn policy(raw: &Policy, answer_bytes_max: usize, checks: &mut Checks) -> Option<policy::Policy> {
    let (freshness, breaker) = (freshness(&raw.freshness, checks), breaker(&raw.breaker, checks));
    let answers = answers::answers(&raw.answers, answer_bytes_max, checks);
    Some(policy::Policy {
        balance: raw.balance.0,
        load: load(&raw.load, checks),
        cost: cost(&raw.cost),
        prefixes: prefixes(&raw.prefixes),
        spill: SpillPolicy { when: raw.spill.when.0, overload: raw.spill.overload },
        tiers: Tiers {
            premium: raw.tiers.premium.first_token_latency.0,
            free: raw.tiers.free.first_token_latency.0,
        },
        fallbacks: Fallbacks(raw.fallbacks),
        leases: leases(&raw.leases, checks),
        freshness: freshness?,
        breaker: breaker?,
        limits: limits::limits(&raw.limits, checks),
        degradation: degradation::degradation(&raw.degradation, checks),
        answers: answers?,
        nodes_max: NodesMax(raw.nodes_max),
    })
}

fn load(raw: &Load, checks: &mut Checks) -> LoadPolicy {
    if raw.cpu + raw.memory + raw.queue <= 0.0 {
        let hint =
            "give one of `cpu`, `memory` and `queue` a weight over 0, or choose another `policy.balance`";
        checks.refuse_with("policy.load", "the weights are all 0, so that no node is loaded", hint);
    }
    LoadPolicy {
        cpu: raw.cpu,
        memory: raw.memory,
        queue: raw.queue,
        gpu_replaces_cpu: raw.gpu_replaces_cpu,
        queue_capacity: raw.queue_capacity,
        failure_penalty: raw.failure_penalty,
    }
}

fn cost(raw: &Cost) -> CostPolicy {
    CostPolicy {
        price_max: raw.price_max,
        batching: raw.batching,
        drag: raw.drag,
        eviction: raw.eviction,
        lateness: raw.lateness,
        busy_wait: raw.busy_wait.0,
        adapter_load: raw.adapter_load.0,
        learn_speeds: if raw.learn_speeds { Learning::On } else { Learning::Off },
        refuse_late: raw.refuse_late.0,
        refuse_margin: raw.refuse_margin,
    }
}

fn prefixes(raw: &Prefixes) -> PrefixPolicy {
    PrefixPolicy { block_tokens: raw.block_tokens, bytes_max: raw.bytes_max, node_blocks: raw.node_blocks }
}

fn leases(raw: &Leases, checks: &mut Checks) -> LeasePolicy {
    checks.at_most("policy.leases", ("ttl", raw.ttl), ("ttl_max", raw.ttl_max));
    LeasePolicy { ttl: raw.ttl.0, ttl_max: raw.ttl_max.0, live_max: raw.live_max, remember: raw.remember.0 }
}

fn freshness(raw: &Freshness, checks: &mut Checks) -> Option<FreshnessPolicy> {
    if raw.stale_after <= raw.report_interval {
        let (stale, interval) = (raw.stale_after, raw.report_interval);
        let what =
            format!("`{stale}` is not longer than `policy.freshness.report_interval`, which is `{interval}`");
        let hint = "let nodes miss a report or two: `stale_after` of three intervals is usual";
        checks.refuse_with("policy.freshness.stale_after", what, hint);
    }
    let freeze_share = checks.check("policy.freshness.freeze_share", Ratio::try_new(raw.freeze_share));
    Some(FreshnessPolicy {
        report_interval: raw.report_interval.0,
        stale_after: raw.stale_after.0,
        close_grace: raw.close_grace.0,
        outcome_trust: raw.outcome_trust.0,
        freeze_share: freeze_share?,
        freeze_nodes_min: raw.freeze_nodes_min,
        forget_after: raw.forget_after.0,
    })
}

fn breaker(raw: &Breaker, checks: &mut Checks) -> Option<BreakerPolicy> {
    checks.at_most("policy.breaker", ("open_for", raw.open_for), ("open_for_max", raw.open_for_max));
    let ratio = checks.check("policy.breaker.success_ratio_min", Ratio::try_new(raw.success_ratio_min));
    let share = checks.check("policy.breaker.ejected_share_max", Ratio::try_new(raw.ejected_share_max));
    Some(BreakerPolicy {
        consecutive_failures: raw.consecutive_failures,
        window: raw.window.0,
        samples_min: raw.samples_min,
        success_ratio_min: ratio?,
        open_for: raw.open_for.0,
        open_for_max: raw.open_for_max.0,
        slow_start: raw.slow_start.0,
        ejected_share_max: share?,
    })
}
