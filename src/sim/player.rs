//! A decider as the replay wants it: requests and nodes by number.

use std::{num::NonZeroU64, time::Duration};

use super::{
    decider::{self, Decider, Service},
    engine::{Engine, hardware::Hardware},
    replay::{Ask, Report, Router, Tier, Verdict},
};
use crate::domain::{
    id::{NodeId, RequestId, TenantId},
    load::{NodeLoad, Ratio},
    policy::Policy,
    request::RequestKey,
};

/// The service in a simulation.
#[derive(Debug)]
pub struct Player {
    decider: Decider,
    nodes: Vec<NodeId>,
    /// By request, its name in the service while it is under way.
    keys: Vec<Option<RequestKey>>,
    kv_tokens: Vec<u64>,
}

impl Player {
    /// The service before a fleet.
    ///
    /// # Panics
    ///
    /// Where the fleet has more nodes than the policy's table of nodes holds.
    pub fn new(policy: Policy, fleet: &[Hardware], seed: u64) -> Self {
        let mut decider = Decider::new(policy, seed);
        let name = |number| NodeId::parse(&format!("n{number:04}")).expect("letters and digits");
        let nodes: Vec<NodeId> = (0..fleet.len()).map(name).collect();
        for (node, hardware) in nodes.iter().zip(fleet) {
            let registered = decider.register(node.clone(), NonZeroU64::new(hardware.kv_tokens.into()), 0);
            registered.expect("a fleet is no larger than the table of nodes");
        }
        let kv_tokens = fleet.iter().map(|hardware| hardware.kv_tokens.into()).collect();
        Self { decider, nodes, keys: Vec::new(), kv_tokens }
    }

    fn take_key(&mut self, request: usize) -> Option<RequestKey> {
        self.keys.get_mut(request)?.take()
    }
}

impl Router for Player {
    fn report(&mut self, now: u64, report: &Report) {
        let told = &report.told;
        let load = NodeLoad {
            cpu: Ratio::try_new(told.busy).ok(),
            gpu: Ratio::try_new(told.busy).ok(),
            running: Some(told.running),
            waiting: Some(told.waiting),
            kv_capacity: Some(self.kv_tokens[report.node]),
            kv_active: Some(told.kv_active),
            memory: Ratio::try_new((told.kv_active as f64 / self.kv_tokens[report.node] as f64).min(1.0))
                .ok(),
            queued_tokens: Some(told.queued_tokens),
            queued_work: Some(told.net_work),
            speed: told.speed,
            decoding: Some(told.decoding),
            received_lease: decider::received(told.received_ticket),
            age: Some(Duration::from_micros(now.saturating_sub(report.taken_at))),
            ..NodeLoad::default()
        };
        self.decider.report(&self.nodes[report.node], report.sequence, load, now);
    }

    fn pick(&mut self, now: u64, ask: &Ask<'_>, _fleet: &[Engine]) -> Verdict {
        let request = RequestId::parse(&format!("r{}", ask.request)).expect("letters and digits");
        let tenant = TenantId::parse(&format!("t{}", ask.tenant)).expect("letters and digits");
        let excluded: Vec<_> = ask.excluded.iter().map(|node| self.nodes[*node].clone()).collect();
        let service = match ask.tier {
            Tier::Interactive => Service::Interactive,
            Tier::Standard => Service::Standard,
            Tier::Batch => Service::Batch,
        };
        let asked = decider::Ask {
            request: &request,
            tenant: &tenant,
            service,
            target: Some(Duration::from_secs_f64(ask.deadline_ms / 1000.0)),
            input: ask.input,
            output: None,
            blocks: ask.blocks,
            excluded: &excluded,
        };
        let Ok(route) = self.decider.pick(&asked, now) else { return Verdict::Refused };
        let by_id = |node: &NodeId| node.as_str().cmp(route.targets.best().node());
        let node = self.nodes.binary_search_by(by_id).expect("only known nodes are picked");
        if self.keys.len() <= ask.request {
            self.keys.resize(ask.request + 1, None);
        }
        self.keys[ask.request] = Some(RequestKey { tenant, request });
        Verdict::Node {
            node,
            ticket: decider::ticket(&route),
            expected_cached: route.expected_cached_tokens.unwrap_or(0),
        }
    }

    fn first_token(&mut self, now: u64, request: usize, latency_us: u64, cached_tokens: u32) {
        if let Some(key) = self.keys.get(request).cloned().flatten() {
            self.decider.first_token(key, Duration::from_micros(latency_us), Some(cached_tokens), now);
        }
    }

    fn done(&mut self, now: u64, request: usize, output_tokens: u32) {
        if let Some(key) = self.take_key(request) {
            self.decider.done(key, Some(output_tokens), now);
        }
    }

    fn failed(&mut self, now: u64, request: usize) {
        if let Some(key) = self.take_key(request) {
            self.decider.failed(key, now);
        }
    }
}
