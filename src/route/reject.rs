//! Says no, by which filter and until when.

use std::time::Duration;

use super::filter::Filtered;
use crate::{
    domain::{
        decision::{Rejection, RejectionReason},
        filter::Filter,
        policy::Policy,
        time::Instant,
    },
    state::nodes::Topology,
};

/// The rejection of a request that no node may take.
///
/// The filters run in order on each node, so the one that dropped the last node is the latest of those that dropped any.
pub fn reject(filtered: &Filtered<'_>, topology: &Topology, policy: &Policy, now: Instant) -> Rejection {
    let Some(last) = filtered.dropped.iter().flatten().max().copied() else {
        let retry_delay = Some(policy.freshness.report_interval);
        return Rejection { reason: RejectionReason::NoNodes, retry_delay };
    };
    let retry_delay = match last {
        Filter::Breaker => Some(soonest_trial(filtered, topology, policy, now)),
        Filter::Freshness | Filter::Drain => Some(policy.freshness.report_interval),
        _ => None,
    };
    Rejection { reason: RejectionReason::NoEligibleNode(last), retry_delay }
}

/// Time until the first open breaker turns half-open; one that is being tried already is worth a report interval.
fn soonest_trial(filtered: &Filtered<'_>, topology: &Topology, policy: &Policy, now: Instant) -> Duration {
    let ejected = topology.nodes.iter().zip(&filtered.dropped).filter(|(_, d)| **d == Some(Filter::Breaker));
    let soonest = ejected.map(|(node, _)| node.live.vitals().breaker.opens_in(now)).min();
    soonest.unwrap_or_default().max(policy.freshness.report_interval)
}
