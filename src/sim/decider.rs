//! The service's own decisions under somebody else's clock.
//!
//! What an agent, a gateway and the clock do in service: register nodes, report their load, ask for picks and tell outcomes.
//! The simulator drives it in one process, `pointsman decide --stdio` from another. Times are microseconds; no other clock is
//! read, and chance comes from the seed.

use std::{
    collections::{BTreeMap, HashMap},
    num::NonZeroU64,
    sync::Arc,
    time::Duration,
};

use crate::{
    domain::{
        answer::policy::AnswerPolicy,
        decision::{Granted, Rejection, Route},
        degradation::{DegradationPolicy, Threshold, Thresholds},
        digest::spread,
        id::{LeaseId, ModelName, NodeId, RequestId, TenantId},
        load::NodeLoad,
        node::{NodeSpec, RequestType},
        outcome::{Outcome, OutcomeResult, OutcomeTokens},
        policy::{FreshnessPolicy, LeasePolicy, Policy, Spill},
        prefix::BlockKey,
        request::{Priority, RequestKey, RouteRequest, Tier},
        time::{Chance, Instant},
    },
    route::{self, Turn},
    state::{
        State,
        nodes::{Session, TableFull},
    },
};

/// How often what has had its time is let go, in microseconds.
const SWEEP_US: u64 = 500_000;
/// A node silent for so long is left out, as the simulators' rules want it.
const SILENT_AFTER: Duration = Duration::from_secs(3);

/// No load makes a pool give less: what simulations compare is where requests go.
const NEVER: Threshold = Threshold { enter: f64::INFINITY, leave: f64::INFINITY };
const NEVER_BUSY: Thresholds = Thresholds { busy: NEVER, overloaded: NEVER };

/// Decides.
#[derive(Debug)]
pub struct Decider {
    state: State,
    policy: Policy,
    sessions: HashMap<NodeId, Session>,
    model: ModelName,
    seed: u64,
    turns: u64,
    swept_us: u64,
    now_us: u64,
}

/// A request.
#[derive(Debug)]
pub struct Ask<'a> {
    /// Its name.
    pub request: &'a RequestId,
    /// Its tenant.
    pub tenant: &'a TenantId,
    /// What it is promised.
    pub service: Service,
    /// Time in which its first token is wanted.
    pub target: Option<Duration>,
    /// Tokens of its prompt.
    pub input: u32,
    /// Tokens of its answer, as far as they are known.
    pub output: Option<u32>,
    /// Numbers of its prompt's blocks: equal ones stand for equal beginnings.
    pub blocks: &'a [u64],
    /// Nodes that it must not go to.
    pub excluded: &'a [NodeId],
}

/// What a request is promised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// The first to be served.
    Interactive,
    /// Between the two.
    Standard,
    /// The first to be refused.
    Batch,
}

impl Service {
    fn tier(self) -> Tier {
        match self {
            Self::Interactive => Tier::Premium,
            Self::Standard | Self::Batch => Tier::Free,
        }
    }

    fn priority(self) -> Priority {
        match self {
            Self::Interactive | Self::Standard => Priority::Normal,
            Self::Batch => Priority::Low,
        }
    }
}

/// Turns a policy for service into one for simulations: all nodes are of one class, leases last as long as the requests,
/// nobody is over a limit, and a node counts as silent after as long as the simulators say.
pub fn for_simulation(policy: Policy, block_tokens: std::num::NonZeroU32) -> Policy {
    let mut policy = policy;
    let ttl = Duration::from_hours(24);
    policy.leases = LeasePolicy { ttl, ttl_max: ttl, live_max: usize::MAX / 4, remember: Duration::ZERO };
    policy.freshness = FreshnessPolicy { stale_after: SILENT_AFTER, ..policy.freshness };
    policy.limits.rules = [].into();
    policy.degradation =
        DegradationPolicy { thresholds: NEVER_BUSY, pools: Vec::new(), ..policy.degradation };
    policy.spill.when = Spill::WhenEmpty;
    policy.prefixes.block_tokens = block_tokens;
    policy
}

impl Decider {
    /// Knows no node yet.
    pub fn new(policy: Policy, seed: u64) -> Self {
        Self {
            state: State::new(u128::from(seed), AnswerPolicy::default().bytes_max),
            policy,
            sessions: HashMap::new(),
            model: simulated(),
            seed,
            turns: 0,
            swept_us: 0,
            now_us: 0,
        }
    }

    /// What is remembered.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Registers a node whose cache holds so many tokens.
    pub fn register(
        &mut self,
        id: NodeId,
        kv_tokens: Option<NonZeroU64>,
        now_us: u64,
    ) -> Result<(), TableFull> {
        let endpoints: BTreeMap<_, Arc<str>> = [(RequestType::Text, Arc::from(format!("sim:{id}")))].into();
        let spec = NodeSpec { endpoints, kv_tokens, ..NodeSpec::of(id.clone()) };
        let now = self.pass(now_us);
        let session = self.state.nodes.attend(spec, &self.policy, now)?;
        self.sessions.insert(id, session);
        Ok(())
    }

    /// A node tells how it is. False where there is no such node, or the report is older than one before it.
    pub fn report(&mut self, node: &NodeId, sequence: u64, load: NodeLoad, now_us: u64) -> bool {
        let now = self.pass(now_us);
        let Some(session) = self.sessions.get(node) else { return false };
        let applied = session.apply(sequence, load, now, &self.policy.freshness);
        applied == crate::state::nodes::node::Applied::Applied
    }

    /// Decides where a request goes.
    pub fn pick(&mut self, ask: &Ask<'_>, now_us: u64) -> Result<Box<Route>, Rejection> {
        let now = self.pass(now_us);
        let key = RequestKey { tenant: ask.tenant.clone(), request: ask.request.clone() };
        let request = RouteRequest {
            tier: ask.service.tier(),
            priority: ask.service.priority(),
            excluded: ask.excluded.to_vec(),
            prompt_tokens: Some(ask.input),
            max_output_tokens: ask.output,
            prefix: ask.blocks.iter().map(|block| BlockKey::new(spread(*block))).collect(),
            first_token_target: ask.target,
            ..RouteRequest::of(key, RequestType::Text, self.model.clone())
        };
        self.turns += 1;
        let seed = self.seed ^ self.turns.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let mut turn = Turn { now, chance: Chance::with_seed(seed) };
        match route::decide(&request, &self.state, &self.policy, &mut turn).outcome? {
            Granted::Route(route) => Ok(route),
            Granted::Answer(_) => unreachable!("no answer is stored"),
        }
    }

    /// A request's first token came.
    pub fn first_token(
        &mut self,
        key: RequestKey,
        latency: Duration,
        cached_tokens: Option<u32>,
        now_us: u64,
    ) {
        let tokens = OutcomeTokens { cached: cached_tokens, ..OutcomeTokens::default() };
        self.settle(key, OutcomeResult::Running, Some(latency), tokens, now_us);
    }

    /// A request was answered.
    pub fn done(&mut self, key: RequestKey, output_tokens: Option<u32>, now_us: u64) {
        let tokens = OutcomeTokens { output: output_tokens, ..OutcomeTokens::default() };
        self.settle(key, OutcomeResult::Ok, None, tokens, now_us);
    }

    /// A request failed on its node.
    pub fn failed(&mut self, key: RequestKey, now_us: u64) {
        self.settle(key, OutcomeResult::Failed, None, OutcomeTokens::default(), now_us);
    }

    fn settle(
        &mut self,
        key: RequestKey,
        result: OutcomeResult,
        first_token_latency: Option<Duration>,
        tokens: OutcomeTokens,
        now_us: u64,
    ) {
        let now = self.pass(now_us);
        let outcome = Outcome { key, lease: None, result, first_token_latency, total_latency: None, tokens };
        self.state.settle(&outcome, &self.policy, now);
    }

    /// Time passes; it never goes back.
    fn pass(&mut self, now_us: u64) -> Instant {
        self.now_us = self.now_us.max(now_us);
        let now = Instant::after_start(Duration::from_micros(self.now_us));
        if self.now_us - self.swept_us >= SWEEP_US {
            self.swept_us = self.now_us;
            self.state.sweep(&self.policy, now);
        }
        now
    }
}

/// The one model of a simulation.
fn simulated() -> ModelName {
    ModelName::parse("simulated").expect("a plain word is a name")
}

/// A lease's name as a number, for those who tell which picks they have seen.
pub fn ticket(route: &Route) -> u64 {
    route.lease.map_or(0, |lease| lease.id.0)
}

/// The same the other way.
pub fn received(ticket: u64) -> Option<LeaseId> {
    (ticket > 0).then_some(LeaseId(ticket))
}
