//! A service without a wire: the real state and pipeline under a clock and a chance that the test holds.

use std::{collections::BTreeMap, time::Duration};

use pointsman::{
    domain::{
        decision::{Decision, Granted, Route},
        id::{ModelName, NodeId, RequestId, TenantId},
        load::{NodeLoad, Ratio},
        node::{NodeSpec, RequestType},
        outcome::{Outcome, OutcomeResult, OutcomeTokens},
        policy::Policy,
        request::{RequestKey, RouteRequest},
        time::{Chance, Instant},
    },
    route::{self, Turn},
    state::{
        State,
        leases::Settled,
        nodes::{Session, node::Applied},
    },
};

/// Everything that a decision depends on.
pub(crate) struct World {
    pub(crate) state: State,
    pub(crate) policy: Policy,
    pub(crate) now: Instant,
    pub(crate) chance: Chance,
    sessions: BTreeMap<String, (Session, u64)>,
}

impl World {
    /// An empty fleet, a second after the start.
    pub(crate) fn new(policy: Policy) -> Self {
        Self {
            state: State::default(),
            policy,
            now: Instant::after_start(Duration::from_secs(1)),
            chance: Chance::with_seed(7),
            sessions: BTreeMap::new(),
        }
    }

    /// A fleet of equal nodes `n0`, `n1`, … of class normal that serve any text, each reported once.
    pub(crate) fn of_equal_nodes(policy: Policy, count: usize) -> Self {
        let mut world = Self::new(policy);
        for i in 0..count {
            world.register(text_node(&format!("n{i}")));
            world.report(&format!("n{i}"), idle_load());
        }
        world
    }

    pub(crate) fn pass(&mut self, time: Duration) {
        self.now = self.now + time;
    }

    pub(crate) fn register(&mut self, spec: NodeSpec) {
        let id = spec.id.to_string();
        let session = self.state.nodes.attend(spec, &self.policy, self.now).expect("the table has room");
        self.sessions.insert(id, (session, 0));
    }

    pub(crate) fn report(&mut self, node: &str, load: NodeLoad) -> Applied {
        let (session, sequence) = self.sessions.get_mut(node).expect("the node is registered");
        *sequence += 1;
        session.apply(*sequence, load, self.now, &self.policy.freshness)
    }

    pub(crate) fn close(&mut self, node: &str) {
        self.sessions[node].0.close(self.now, &self.policy.freshness);
    }

    pub(crate) fn decide(&mut self, request: &RouteRequest) -> Decision {
        let chance = Chance::with_seed(self.chance.u64(..));
        route::decide(request, &self.state, &self.policy, &mut Turn { now: self.now, chance })
    }

    pub(crate) fn explain(&self, request: &RouteRequest) -> Decision {
        let chance = self.chance.clone();
        route::explain(request, &self.state, &self.policy, &mut Turn { now: self.now, chance })
    }

    /// Picks where a pick must succeed.
    pub(crate) fn pick(&mut self, request: &RouteRequest) -> Route {
        route_of(self.decide(request)).expect("some node is eligible")
    }

    pub(crate) fn settle(&mut self, key: &RequestKey, result: OutcomeResult) -> Settled {
        self.state.settle(&outcome(key, result), &self.policy, self.now)
    }

    /// Requests in flight, summed over the nodes.
    pub(crate) fn in_flight(&self) -> usize {
        let nodes = self.state.nodes.topology();
        nodes.nodes.iter().map(|node| node.live.counts().in_flight as usize).sum()
    }
}

/// Where a decision sends a request, if it does.
pub(crate) fn route_of(decision: Decision) -> Option<Route> {
    match decision.outcome {
        Ok(Granted::Route(route)) => Some(Route::clone(&route)),
        Ok(Granted::Answer(_)) | Err(_) => None,
    }
}

/// Id of the node that was picked.
pub(crate) fn node_of(route: &Route) -> NodeId {
    NodeId::parse(route.targets.best().node()).expect("a good id")
}

pub(crate) fn text_node(id: &str) -> NodeSpec {
    let endpoints = BTreeMap::from([(RequestType::Text, format!("http://{id}").into())]);
    NodeSpec { endpoints, ..NodeSpec::of(NodeId::parse(id).expect("a good id")) }
}

pub(crate) fn idle_load() -> NodeLoad {
    NodeLoad {
        cpu: Some(Ratio::ZERO),
        memory: Some(Ratio::ZERO),
        running: Some(0),
        waiting: Some(0),
        ..NodeLoad::default()
    }
}

pub(crate) fn key(request: &str) -> RequestKey {
    RequestKey {
        tenant: TenantId::parse("acme").expect("a good name"),
        request: RequestId::parse(request).expect("a good name"),
    }
}

/// A free user's text request.
pub(crate) fn text(request: &str) -> RouteRequest {
    RouteRequest::of(key(request), RequestType::Text, ModelName::parse("m").expect("a good name"))
}

pub(crate) fn outcome(key: &RequestKey, result: OutcomeResult) -> Outcome {
    Outcome {
        key: key.clone(),
        lease: None,
        result,
        first_token_latency: None,
        total_latency: None,
        tokens: OutcomeTokens::default(),
    }
}
