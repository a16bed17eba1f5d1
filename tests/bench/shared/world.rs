//! On what is decided: a fleet, a policy, and requests that recur.

use std::time::Duration;

use pointsman::{
    domain::{
        answer::fingerprint::Fingerprint,
        id::{ModelName, RequestId, TenantId, UserId},
        node::RequestType,
        outcome::{Outcome, OutcomeResult, OutcomeTokens},
        policy::Policy,
        prefix::BlockKey,
        request::{RequestKey, RouteRequest},
        time::{Chance, Instant},
    },
    route::{self, Turn},
    state::State,
};

use super::{
    fleet::{self, model},
    prompts::{BLOCKS, PROMPT_TOKENS, PROMPTS, block},
    said::Failure,
};

/// Decisions of a run.
pub(crate) const RUN: u64 = 64;
/// Time between two runs.
const PAUSE: Duration = Duration::from_millis(1);

/// Everything that a decision depends on.
pub(crate) struct World {
    pub(crate) state: State,
    pub(crate) policy: Policy,
    now: Instant,
    /// Whether each request has a user and a question, whose answer is not known.
    pub(crate) asks: bool,
    /// Prompts that recur.
    prompts: Vec<RouteRequest>,
    next: u64,
}

impl World {
    /// A fleet of so many nodes that serve one of so many models each, after each prompt has been picked for twice.
    pub(crate) fn new(policy: Policy, nodes: usize, models: usize) -> Result<Self, Failure> {
        let state = State::default();
        let now = Instant::after_start(Duration::from_secs(1));
        fleet::fill(&state, &policy, nodes, models, now)?;
        let prompts = (0..PROMPTS).map(|prompt| request(prompt, models)).collect::<Result<_, _>>()?;
        let mut world = Self { state, policy, now, prompts, asks: false, next: 0 };
        for _ in 0..2 * PROMPTS / RUN {
            let requests = world.requests();
            for request in &requests {
                world.decide(request);
            }
            world.settle(&requests);
        }
        Ok(world)
    }

    /// Requests that were never made before, of a run.
    pub(crate) fn requests(&mut self) -> Vec<RouteRequest> {
        let first = self.next;
        self.next += RUN;
        self.now = self.now + PAUSE;
        (first..self.next).map(|number| self.request(number)).collect()
    }

    /// Time and chance of a decision.
    pub(crate) fn turn(&self) -> Turn {
        Turn { now: self.now, chance: Chance::with_seed(self.next) }
    }

    /// Decides, reserves.
    pub(crate) fn decide(&self, request: &RouteRequest) -> bool {
        route::decide(request, &self.state, &self.policy, &mut self.turn()).outcome.is_ok()
    }

    /// Lets go of what was reserved.
    pub(crate) fn settle(&self, requests: &[RouteRequest]) {
        for request in requests {
            self.state.settle(&well(&request.key), &self.policy, self.now);
        }
        // What has ended is remembered for a while, and then swept.
        if self.next.is_multiple_of(64 * RUN) {
            self.state.leases.sweep(&self.policy.leases, self.now + Duration::from_mins(1));
        }
    }

    fn request(&self, number: u64) -> RouteRequest {
        let prompt = usize::try_from(number.wrapping_mul(389) % PROMPTS).unwrap_or_default();
        let mut request = self.prompts[prompt].clone();
        if let Ok(id) = RequestId::parse(&format!("{number:016x}")) {
            request.key.request = id;
        }
        if self.asks {
            request.user = UserId::parse(&format!("user-{prompt}")).ok();
            request.fingerprint = Some(Fingerprint::of_canonical(&number.to_le_bytes()));
        }
        request
    }
}

fn request(prompt: u64, models: usize) -> Result<RouteRequest, Failure> {
    let key = RequestKey { tenant: TenantId::parse("acme")?, request: RequestId::parse("none")? };
    let served = ModelName::parse(&model(usize::try_from(prompt)? % models))?;
    Ok(RouteRequest {
        prompt_tokens: Some(PROMPT_TOKENS),
        max_output_tokens: Some(500),
        prefix: (0..BLOCKS).map(|number| BlockKey::new(block(prompt, number))).collect(),
        ..RouteRequest::of(key, RequestType::Text, served)
    })
}

fn well(key: &RequestKey) -> Outcome {
    Outcome {
        key: key.clone(),
        lease: None,
        result: OutcomeResult::Ok,
        first_token_latency: None,
        total_latency: None,
        tokens: OutcomeTokens::default(),
    }
}
