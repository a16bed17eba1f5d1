use std::time::Duration;

use proptest::prelude::*;

use crate::{
    domain::{
        decision::Granted,
        explanation::Verdict,
        id::{ModelName, NodeId, RequestId, TenantId},
        load::NodeLoad,
        node::{NodeSpec, RequestType},
        outcome::{Outcome, OutcomeResult, OutcomeTokens},
        policy::{Fallbacks, Policy},
        prefix::BlockKey,
        request::{RequestKey, RouteRequest},
        time::{Chance, Instant},
    },
    route::{Turn, decide, explain},
    state::{State, nodes::Session},
};

/// A request that comes, and what happens before it.
#[derive(Debug, Clone)]
struct Step {
    prompt: u64,
    tokens: u32,
    report: Option<(usize, u32, u32)>,
    ends: bool,
    failed: bool,
    pause: u64,
    target: u64,
    /// So many of the best are excluded.
    excluded: usize,
}

fn step() -> impl Strategy<Value = Step> {
    let report = prop::option::of((any::<usize>(), 0_u32..40, 0_u32..60_000));
    let ends = (any::<bool>(), prop::bool::weighted(0.1));
    (0_u64..8, 200_u32..9000, report, ends, 0_u64..400, 50_u64..4000, 0_usize..3).prop_map(
        |(prompt, tokens, report, (ends, failed), pause, target, excluded)| Step {
            prompt,
            tokens,
            report,
            ends,
            failed,
            pause,
            target,
            excluded,
        },
    )
}

struct Fleet {
    state: State,
    policy: Policy,
    sessions: Vec<Session>,
    now: Instant,
    sent: Vec<RequestKey>,
}

impl Fleet {
    fn new(nodes: usize, fallbacks: usize) -> Self {
        let policy = Policy { fallbacks: Fallbacks(fallbacks), ..Policy::default() };
        let (state, now) = (State::default(), Instant::after_start(Duration::from_secs(1)));
        let admit = |number: usize| {
            let endpoints = [(RequestType::Text, "http://a".into())].into();
            let id = NodeId::parse(&format!("n{number:03}")).expect("a good id");
            let spec = NodeSpec { endpoints, kv_tokens: 30_000.try_into().ok(), ..NodeSpec::of(id) };
            let session = state.nodes.admit(spec, &policy).expect("there is room");
            let speed = [10.0, 10.02, 15.0, 30.0][number % 4];
            session.apply(1, load(speed, 0, 0), now, &policy.freshness);
            session
        };
        let sessions = (0..nodes).map(admit).collect();
        Self { state, policy, sessions, now, sent: Vec::new() }
    }

    fn request(&mut self, number: u64, step: &Step) -> RouteRequest {
        let name = RequestId::parse(&format!("r{number}")).expect("a good id");
        let key = RequestKey { tenant: TenantId::parse("acme").expect("a good name"), request: name };
        self.sent.push(key.clone());
        let block = |number| BlockKey::new(step.prompt * 100 + number);
        // All prompts begin alike.
        let prefix = std::iter::once(BlockKey::new(7)).chain((1..u64::from(step.tokens) / 256).map(block));
        RouteRequest {
            prompt_tokens: Some(step.tokens),
            prefix: prefix.take(step.tokens as usize / 256).collect(),
            first_token_target: Some(Duration::from_millis(step.target)),
            ..RouteRequest::of(key, RequestType::Text, ModelName::parse("m").expect("a good name"))
        }
    }

    fn happens(&mut self, number: u64, step: &Step) {
        self.now = self.now + Duration::from_millis(step.pause);
        if let Some((node, decoding, work)) = step.report {
            let node = node % self.sessions.len();
            let speed = [10.0, 10.02, 15.0, 30.0][node % 4];
            self.sessions[node].apply(
                number + 2,
                load(speed, decoding, work),
                self.now,
                &self.policy.freshness,
            );
        }
        if let Some(key) = self.sent.first().filter(|_| step.ends).cloned() {
            self.sent.remove(0);
            let outcome = Outcome {
                key,
                lease: None,
                result: if step.failed { OutcomeResult::Failed } else { OutcomeResult::Ok },
                first_token_latency: Some(Duration::from_millis(300)),
                total_latency: Some(Duration::from_millis(900)),
                tokens: OutcomeTokens::default(),
            };
            self.state.settle(&outcome, &self.policy, self.now);
        }
    }
}

fn load(speed: f64, decoding: u32, work: u32) -> NodeLoad {
    NodeLoad {
        speed: Some(speed),
        decoding: Some(decoding),
        queued_work: Some(f64::from(work)),
        kv_capacity: Some(30_000),
        kv_active: Some(u64::from(decoding) * 500),
        ..NodeLoad::default()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// The picked node and the fallbacks are those that a look at all nodes finds, or cost within a hundredth: what the pyramid knows of
    /// a cache may be 50 ms old.
    #[test]
    fn no_node_is_cheaper_than_those_on_the_list(
        nodes in 16_usize..300,
        fallbacks in 0_usize..4,
        steps in prop::collection::vec(step(), 1..120),
    ) {
        let mut fleet = Fleet::new(nodes, fallbacks);
        for (number, step) in (0..).zip(&steps) {
            fleet.happens(number, step);
            let mut request = fleet.request(number, step);
            let turn = || Turn { now: fleet.now, chance: Chance::with_seed(number) };
            let explained = |request: &RouteRequest| {
                explain(request, &fleet.state, &fleet.policy, &mut turn()).explanation.expect("it was asked for")
            };
            let best = explained(&request).nodes.into_iter().filter(
                |(_, verdict)| matches!(verdict, Verdict::Scored(_, place) if *place < step.excluded),
            );
            request.excluded = best.map(|(id, _)| id).collect();
            let why = explained(&request);
            let decided = decide(&request, &fleet.state, &fleet.policy, &mut turn());
            let Ok(Granted::Route(route)) = decided.outcome else {
                panic!("the fleet has room for {request:?}");
            };
            let scored = |verdict: &Verdict| match verdict {
                Verdict::Scored(score, place) => Some((*place, score.cost)),
                Verdict::Dropped(_) => None,
            };
            let mut costs: Vec<_> = why.nodes.iter().filter_map(|(_, verdict)| scored(verdict)).collect();
            costs.sort_unstable_by_key(|(place, _)| *place);
            for (target, (_, least)) in std::iter::once(route.targets.best()).chain(route.targets.fallbacks()).zip(&costs) {
                let (_, verdict) = why.nodes.iter().find(|(id, _)| id.as_str() == target.node()).expect("it is known");
                let (_, cost) = scored(verdict).expect("it is a candidate");
                prop_assert!(cost <= least + 1e-6 + 1e-2 * least.abs(), "{cost} is more than {least}");
            }
            prop_assert_eq!(route.targets.fallbacks().len(), fallbacks.min(nodes - 1 - step.excluded));
        }
    }
}
