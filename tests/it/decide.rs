//! Runs the golden decision tables of `tests/decide/`.
//!
//! Each line is a command; one that asks something is followed by ` => ` and the answer. With `POINTSMAN_BLESS=1` the
//! answers are written instead of compared: read the difference before you commit it.
//!
//! ```text
//! policy balance=least_in_flight spill=when_empty      changes the policy
//! hosted h types=text                                  registers a node that has no agent
//! node a class=high types=text,image models=m@1|2,n    registers a node by its agent
//! report a cpu=30 memory=40 running=2 waiting=5        in percent and requests
//! report a kv=8000 kv_active=500 queued=900 speed=10 decoding=3 adapters=x    in tokens, and work a millisecond
//! after 500ms                                          lets time pass
//! close a  ·  drain a  ·  resume a  ·  remove a  ·  sweep
//! outcome r1 failed  ·  outcome r1 ok first=200ms cached=0 output=30
//! fail a 5                                             five requests go to the node and fail
//! pick r1 type=text tier=premium exclude=a,b => node, then its fallbacks; or the refusal
//! pick r1 tokens=1024 prefix=1,2,3 adapter=x target=1s    a prompt by its length and its blocks of 256 tokens
//! balance r1 tokens=4000 => the policy that compared the nodes
//! costs tokens=4000 => wait and own work of each node, in milliseconds, and the cost
//! store ask=hello model=m answer=hi                    the answer to the question `hello`, kept for ten minutes
//! purge ask=hello model=m => how many; without `ask` all of a model, without `model` all of the tenant
//! burst 1000 type=text => picks per node
//! explain type=text => what became of each node
//! nodes => state of each node
//! ```

use std::{collections::BTreeMap, env, fmt::Write, fs, path::Path};

use pointsman::domain::{
    answer::{AnswerBody, NewAnswer, PurgeScope, Volatility, fingerprint::Fingerprint, policy::AnswerPolicy},
    decision::{CachedAnswer, Decision, Granted, RejectionReason, Rung, Target},
    degradation::PoolRule,
    explanation::Verdict,
    id::{AdapterName, ModelName, ModelVersion, NodeId, TenantId, UserId},
    limit::OverLimit,
    load::{NodeLoad, Ratio},
    node::{NodeClass, NodeSpec, RequestType, ServedModel},
    outcome::OutcomeResult,
    policy::{Balance, Policy, Refusal, Spill},
    prefix::BlockKey,
    request::{AnswerUse, Patience, Priority, RouteRequest, Tier},
};

use crate::world::{World, key, outcome, text, text_node};

#[test]
fn decisions_are_as_the_tables_say() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/decide");
    let mut files: Vec<_> = fs::read_dir(folder).expect("the folder exists").flatten().collect();
    files.sort_by_key(fs::DirEntry::path);
    assert!(!files.is_empty());
    for file in files {
        let written = fs::read_to_string(file.path()).expect("the table can be read");
        let played = play(&written);
        if env::var_os("POINTSMAN_BLESS").is_some() {
            fs::write(file.path(), played).expect("the table can be written");
        } else {
            assert_eq!(written, played, "in {}", file.path().display());
        }
    }
}

fn play(table: &str) -> String {
    let mut world = World::new(Policy::default());
    let mut played = String::new();
    for line in table.lines() {
        let command = line.split(" => ").next().unwrap_or_default();
        let words: Vec<_> = command.split_whitespace().collect();
        match words.as_slice() {
            [] | ["#", ..] => writeln!(played, "{line}"),
            words => match obey(&mut world, words) {
                Some(answer) => writeln!(played, "{command} => {answer}"),
                None => writeln!(played, "{line}"),
            },
        }
        .expect("text can be written");
    }
    played
}

fn obey(world: &mut World, words: &[&str]) -> Option<String> {
    match words {
        ["policy", rest @ ..] => set_policy(&mut world.policy, rest),
        ["node", id, rest @ ..] => world.register(spec(id, rest)),
        ["hosted", id, rest @ ..] => drop(world.state.nodes.admit(spec(id, rest), &world.policy)),
        ["report", id, rest @ ..] => drop(world.report(id, load(rest))),
        ["after", time] => world.pass(humantime::parse_duration(time).expect("a span of time")),
        ["close", id] => world.close(id),
        ["drain", id] => drop(world.state.nodes.drain(&node_id(id)).expect("the node is known")),
        ["resume", id] => drop(world.state.nodes.resume(&node_id(id)).expect("the node is known")),
        ["remove", id] => drop(world.state.nodes.remove(&node_id(id)).expect("the node is known")),
        ["sweep"] => drop(world.state.sweep(&world.policy, world.now)),
        ["fail", id, times] => fail(world, id, times),
        ["outcome", request, how, rest @ ..] => settle(world, request, how, rest),
        ["balance", request, rest @ ..] => return Some(compared(&world.decide(&asked(request, rest)))),
        ["costs", rest @ ..] => return Some(costs(&world.explain(&asked("explained", rest)))),
        ["pick", request, rest @ ..] => return Some(told(&world.decide(&asked(request, rest)))),
        ["store", rest @ ..] => store(world, rest),
        ["purge", rest @ ..] => return Some(purge(world, rest)),
        ["burst", count, rest @ ..] => return Some(burst(world, count, rest)),
        ["explain", rest @ ..] => return Some(why(&world.explain(&asked("explained", rest)))),
        ["nodes"] => return Some(states(world)),
        other => panic!("no such command: {other:?}"),
    }
    None
}

fn fail(world: &mut World, id: &str, times: &str) {
    let others: Vec<_> = world.state.nodes.topology().nodes.iter().map(|node| node.spec.id.clone()).collect();
    for i in 0..times.parse().expect("a count") {
        let request = format!("fail-{id}-{i}-{:?}", world.now);
        let excluded = others.iter().filter(|other| other.as_str() != id).cloned().collect();
        let route = world.pick(&RouteRequest { excluded, ..text(&request) });
        assert_eq!(route.targets.best().node(), id);
        world.settle(&key(&request), OutcomeResult::Failed);
    }
}

/// `key=value` words.
fn pairs<'a>(words: &[&'a str]) -> Vec<(&'a str, &'a str)> {
    words.iter().map(|word| word.split_once('=').expect("key=value")).collect()
}

fn set_policy(policy: &mut Policy, words: &[&str]) {
    for (name, value) in pairs(words) {
        match name {
            "balance" => policy.balance = by_name(&Balance::NAMES, value),
            "spill" => policy.spill.when = by_name(&Spill::NAMES, value),
            "fallbacks" => policy.fallbacks.0 = value.parse().expect("a count"),
            "ejected" => {
                let share = Ratio::try_new(value.parse().expect("a number")).expect("a ratio");
                policy.breaker.ejected_share_max = share;
            }
            "smaller" => policy.degradation.pools.push(smaller(value)),
            "late" => {
                policy.cost.refuse_late = if value == "refused" { Refusal::Late } else { Refusal::Never }
            }
            "leases" => policy.leases.live_max = value.parse().expect("a count"),
            other => panic!("no such setting: {other}"),
        }
    }
}

/// `large>small`: the model that takes another's place while its pool is busy.
fn smaller(models: &str) -> PoolRule {
    let (large, small) = models.split_once('>').expect("large>small");
    let model = |name| Some(ModelName::parse(name).expect("a good name"));
    let message = Some("large is resting".into());
    PoolRule { model: model(large), fallback_model: model(small), message, ..PoolRule::default() }
}

fn by_name<T: Copy>(names: &[(T, &str)], name: &str) -> T {
    names.iter().find(|(_, known)| *known == name).unwrap_or_else(|| panic!("no such name: {name}")).0
}

fn node_id(id: &str) -> NodeId {
    NodeId::parse(id).expect("a good id")
}

fn spec(id: &str, words: &[&str]) -> NodeSpec {
    let mut spec = text_node(id);
    for (name, value) in pairs(words) {
        match name {
            "class" => spec.class = if value == "high" { NodeClass::High } else { NodeClass::Normal },
            "types" => {
                let endpoint =
                    |kind| (by_name(&RequestType::NAMES, kind), format!("http://{id}/{kind}").into());
                spec.endpoints = value.split(',').map(endpoint).collect();
            }
            "models" => spec.models = value.split(',').map(model).collect(),
            "weight" => spec.weight = value.parse().expect("a number"),
            "capacity" => spec.queue_capacity = value.parse().ok(),
            other => panic!("a node has no {other}"),
        }
    }
    spec
}

fn model(text: &str) -> ServedModel {
    let (name, versions) = text.split_once('@').unwrap_or((text, ""));
    let versions = versions.split('|').filter(|version| !version.is_empty());
    ServedModel {
        name: ModelName::parse(name).expect("a good name"),
        versions: versions.map(|version| ModelVersion::parse(version).expect("a good name")).collect(),
        request_types: Vec::new(),
    }
}

fn load(words: &[&str]) -> NodeLoad {
    let mut load = NodeLoad::default();
    for (name, value) in pairs(words) {
        let ratio = || {
            let percent: f64 = value.parse().expect("a number");
            Some(Ratio::try_new(percent / 100.0).expect("a percentage"))
        };
        let count = || Some(value.parse().expect("a count"));
        match name {
            "cpu" => load.cpu = ratio(),
            "memory" => load.memory = ratio(),
            "gpu" => load.gpu = ratio(),
            "running" => load.running = count(),
            "waiting" => load.waiting = count(),
            "decoding" => load.decoding = count(),
            "kv" => load.kv_capacity = Some(tokens(value)),
            "kv_active" => load.kv_active = Some(tokens(value)),
            "queued" => load.queued_tokens = Some(tokens(value)),
            "speed" => load.speed = value.parse().ok(),
            "adapters" => load.adapters = value.split(',').map(adapter).collect(),
            other => panic!("a report has no {other}"),
        }
    }
    load
}

fn tokens(value: &str) -> u64 {
    value.parse().expect("a count of tokens")
}

fn adapter(name: &str) -> AdapterName {
    AdapterName::parse(name).expect("a good name")
}

/// Blocks by their numbers; the key of each stands for those before it too.
fn blocks(numbers: &str) -> Vec<BlockKey> {
    let key = |before: &mut u64, number: &str| {
        let number: u64 = number.parse().expect("the number of a block");
        *before = (*before ^ number).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(29);
        Some(BlockKey::new(*before))
    };
    numbers.split(',').scan(1, key).collect()
}

fn asked(request: &str, words: &[&str]) -> RouteRequest {
    let mut asked = text(request);
    for (name, value) in pairs(words) {
        match name {
            "type" => asked.request_type = by_name(&RequestType::NAMES, value),
            "model" => asked.model = ModelName::parse(value).expect("a good name"),
            "version" => asked.version = ModelVersion::parse(value).ok(),
            "tier" => asked.tier = if value == "premium" { Tier::Premium } else { Tier::Free },
            "priority" => {
                let names = [(Priority::High, "high"), (Priority::Normal, "normal"), (Priority::Low, "low")];
                asked.priority = by_name(&names, value);
            }
            "ask" => asked.fingerprint = Some(Fingerprint::of_canonical(value.as_bytes())),
            "tenant" => asked.key.tenant = TenantId::parse(value).expect("a good name"),
            "use" => {
                asked.answer_use = if value == "refresh" { AnswerUse::Refresh } else { AnswerUse::ReadOnly }
            }
            "wait" => {
                asked.patience = if value == "over" { Patience::Exhausted } else { Patience::Waits };
            }
            "tokens" => asked.prompt_tokens = value.parse().ok(),
            "prefix" => asked.prefix = blocks(value),
            "adapter" => asked.adapter = Some(adapter(value)),
            "target" => asked.first_token_target = humantime::parse_duration(value).ok(),
            "user" => asked.user = UserId::parse(value).ok(),
            "exclude" => asked.excluded = value.split(',').map(node_id).collect(),
            other => panic!("a request has no {other}"),
        }
    }
    asked
}

fn settle(world: &mut World, request: &str, how: &str, words: &[&str]) {
    let mut outcome = outcome(&key(request), result(how));
    for (name, value) in pairs(words) {
        let count = || Some(value.parse().expect("a count of tokens"));
        match name {
            "first" => outcome.first_token_latency = humantime::parse_duration(value).ok(),
            "cached" => outcome.tokens.cached = count(),
            "output" => outcome.tokens.output = count(),
            other => panic!("an outcome has no {other}"),
        }
    }
    world.state.settle(&outcome, &world.policy, world.now);
}

fn result(how: &str) -> OutcomeResult {
    let names = [
        (OutcomeResult::Ok, "ok"),
        (OutcomeResult::Failed, "failed"),
        (OutcomeResult::Timeout, "timeout"),
        (OutcomeResult::Running, "running"),
        (OutcomeResult::Cancelled, "cancelled"),
    ];
    by_name(&names, how)
}

fn told(decision: &Decision) -> String {
    let mut told = match &decision.outcome {
        Ok(Granted::Answer(answer)) => known(answer),
        Ok(Granted::Route(route)) => {
            let fallbacks: Vec<_> = route.targets.fallbacks().iter().map(Target::node).collect();
            let spilled = if route.spilled { " (spilled)" } else { "" };
            let smaller = if route.model.as_str() == "small" { " (smaller)" } else { "" };
            let repeated = if route.repeated { " (repeated)" } else { "" };
            let then =
                if fallbacks.is_empty() { String::new() } else { format!(", then {}", fallbacks.join(", ")) };
            format!("{}{then}{smaller}{spilled}{repeated}", route.targets.best().node())
        }
        Err(refused) => {
            let reason = match &refused.reason {
                RejectionReason::NoEligibleNode(filter) => format!("no node left by {filter:?}"),
                RejectionReason::OverLimit(OverLimit { rule, remaining, .. }) => {
                    format!("over {rule}, {remaining} left")
                }
                RejectionReason::AnswerPending(leader) => format!("{} is on its way", leader.request.request),
                RejectionReason::Busy { message } => message.as_deref().unwrap_or("busy").to_owned(),
                other => format!("{other:?}"),
            };
            let again = refused.retry_delay.map(|delay| format!(", again in {delay:?}")).unwrap_or_default();
            format!("rejected: {reason}{again}")
        }
    };
    if decision.rung != Rung::Normal {
        let _ = write!(told, " [{:?}]", decision.rung);
    }
    told
}

fn compared(decision: &Decision) -> String {
    match &decision.outcome {
        Ok(Granted::Route(route)) => route.balance.name().to_owned(),
        _ => told(decision),
    }
}

fn costs(decision: &Decision) -> String {
    let explanation = decision.explanation.as_ref().expect("it was asked for");
    let cost = |(id, verdict): &(NodeId, Verdict)| match verdict {
        Verdict::Dropped(filter) => format!("{id}: dropped by {filter:?}"),
        Verdict::Scored(score, _) => {
            let terms = score.terms.expect("costs were compared");
            let cached = score.cached_tokens.unwrap_or(0);
            format!(
                "{id}: wait {:.0}, own {:.0}, cost {:.0}, cached {cached}",
                terms.wait, terms.own, score.cost
            )
        }
    };
    explanation.nodes.iter().map(cost).collect::<Vec<_>>().join("; ")
}

fn known(answer: &CachedAnswer) -> String {
    let body = match &answer.body {
        AnswerBody::Inline(inline) => String::from_utf8_lossy(&inline.bytes).into_owned(),
        AnswerBody::Reference(name) => name.to_string(),
    };
    format!("known: {body}, {:?} old{}", answer.age, if answer.stale { " (stale)" } else { "" })
}

/// `store hello model=m answer=hi`: the answer to the question `hello`.
fn store(world: &mut World, words: &[&str]) {
    let (answer, asked): (Vec<_>, Vec<_>) = words.iter().partition(|word| word.starts_with("answer="));
    let key = self::asked("stored", &asked).answer_key().expect("it says what was asked");
    let text = answer[0].trim_start_matches("answer=");
    let body = AnswerBody::Reference(text.into());
    let new = NewAnswer { body, volatility: Volatility::Usual, ttl: None };
    let policy = AnswerPolicy { jitter: Ratio::ZERO, ..world.policy.answers };
    let stored = world.state.answers.store(&key, &new, &policy, world.now, &mut world.chance);
    stored.expect("it is short");
}

/// `purge ask=hello model=m`, `purge model=m`, or all of the tenant's.
fn purge(world: &World, words: &[&str]) -> String {
    let asked = asked("purged", words);
    let tenant = asked.key.tenant.clone();
    let names_model = words.iter().any(|word| word.starts_with("model="));
    let scope = match asked.answer_key() {
        Some(key) => PurgeScope::Answer(key),
        None if names_model => PurgeScope::Model(tenant, asked.model),
        None => PurgeScope::Tenant(tenant),
    };
    world.state.answers.purge(&scope).to_string()
}

fn burst(world: &mut World, count: &str, words: &[&str]) -> String {
    let mut shares = BTreeMap::<String, u32>::new();
    let burst = world.chance.u32(..);
    for i in 0..count.parse().expect("a count") {
        let decision = world.decide(&asked(&format!("burst-{burst}-{i}"), words));
        let node = match &decision.outcome {
            Ok(Granted::Route(route)) => route.targets.best().node().to_owned(),
            Ok(Granted::Answer(_)) => "known".to_owned(),
            Err(_) => "rejected".to_owned(),
        };
        *shares.entry(node).or_default() += 1;
    }
    let shares: Vec<_> = shares.iter().map(|(node, picks)| format!("{node} {picks}")).collect();
    shares.join(", ")
}

fn why(decision: &Decision) -> String {
    let explanation = decision.explanation.as_ref().expect("it was asked for");
    let verdict = |verdict: &Verdict| match verdict {
        Verdict::Dropped(filter) => format!("dropped by {filter:?}"),
        Verdict::Scored(score, rank) => format!("load {:.1}, rank {rank}", score.load.total()),
    };
    let nodes: Vec<_> = explanation.nodes.iter().map(|(id, v)| format!("{id}: {}", verdict(v))).collect();
    nodes.join("; ")
}

fn states(world: &World) -> String {
    let topology = world.state.nodes.topology();
    let state = |node: &pointsman::state::nodes::node::Node| node.live.vitals().state(world.now);
    let nodes: Vec<_> =
        topology.nodes.iter().map(|node| format!("{} {:?}", node.spec.id, state(node))).collect();
    nodes.join(", ")
}

/// The same seed, state, time and request make the same decision.
#[test]
fn a_decision_can_be_repeated() {
    let play_twice = |table: &str| assert_eq!(play(table), play(table));
    let lines = |count: u32, line: fn(u32) -> String| (0..count).map(line).collect::<Vec<_>>().concat();
    let nodes = lines(20, |i| format!("node n{i}\n"));
    for (_, balance) in Balance::NAMES {
        let picks = lines(50, |i| format!("pick r{i} type=text\n"));
        play_twice(&format!("policy balance={balance}\n{nodes}{picks}explain type=text\n"));
    }
}

/// The seed is what chance depends on: another one makes other choices.
#[test]
fn another_seed_decides_otherwise() {
    let picks = |seed| {
        let mut world = World::of_equal_nodes(Policy { balance: Balance::Random, ..Policy::default() }, 20);
        world.chance = pointsman::domain::time::Chance::with_seed(seed);
        (0..20)
            .map(|i| world.pick(&text(&format!("r{i}"))).targets.best().node().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(picks(1), picks(1));
    assert_ne!(picks(1), picks(2));
}

/// Time that is not passed changes nothing: explaining is free of effects.
#[test]
fn explaining_changes_nothing() {
    let mut world = World::of_equal_nodes(Policy::default(), 5);
    world.pick(&text("r1"));
    let before = (states(&world), world.in_flight());
    for _ in 0..100 {
        let _ = world.explain(&text("r2"));
    }
    assert_eq!((states(&world), world.in_flight()), before);
}
