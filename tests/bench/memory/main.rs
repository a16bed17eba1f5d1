//! How many bytes does one more of everything take, by resident memory?
//!
//! `cargo bench --bench memory`, or with `-- --output json` for one JSON object. Linux only: reads `/proc/self/statm`.
//! Each table is filled with a million entries; the figure is the growth of resident memory over their number, and for
//! tables that double the worst on the way.

use std::{env, fs, num::NonZeroU32};

use pointsman::{
    domain::{
        answer::{
            AnswerBody, AnswerKey, AnswerScope, NewAnswer, Volatility, fingerprint::Fingerprint,
            policy::AnswerPolicy,
        },
        digest::Digester,
        id::{LimitName, ModelName, RequestId, TenantId, UserId},
        limit::{LimitPolicy, LimitRule, Mode, Per, Quota},
        node::RequestType,
        prefix::BlockKey,
        request::{RequestKey, RouteRequest},
        time::{Chance, Instant},
    },
    state::{answers::Answers, limits::Limits, nodes::prefixes::Prefixes},
};

type Failure = Box<dyn std::error::Error>;

const ENTRIES: usize = 1_000_000;
const NOW: Instant = Instant::from_nanos(1_000_000_000);
/// Blocks of a prompt.
const PROMPT: usize = 100;
/// Small tables cost little however wasteful; from a tenth on they count.
const COUNTS_FROM: usize = ENTRIES / 10;

/// What was measured, and the bound that the project holds itself to.
struct Figure {
    name: &'static str,
    bytes: usize,
    worst: usize,
    bytes_max: usize,
}

fn main() -> Result<(), Failure> {
    let figures = [answers()?, user_keys()?, blocks("prefix block", 1)?, blocks("shared prefix block", 2)?];
    if env::args().any(|argument| argument == "json") {
        say(&json(&figures));
    } else {
        say("one of a million            bytes   worst on the way   bound");
        for Figure { name, bytes, worst, bytes_max } in &figures {
            say(&format!("{name:<24} {bytes:>8} {worst:>18} {bytes_max:>7}"));
        }
    }
    let over = figures.iter().find(|figure| figure.worst > figure.bytes_max);
    over.map_or(Ok(()), |figure| Err(format!("{} takes more than its bound", figure.name).into()))
}

fn json(figures: &[Figure]) -> String {
    let entries: serde_json::Map<_, _> =
        figures.iter().map(|figure| (figure.name.replace(' ', "_"), figure.bytes.into())).collect();
    serde_json::json!({ "memory": entries }).to_string()
}

/// Answers kept elsewhere, by references of 32 bytes.
fn answers() -> Result<Figure, Failure> {
    // About full, as in service: what moka takes to tell what is popular depends on what there is room for.
    let answers = Answers::new(Digester::with_secret(7), 400 * ENTRIES as u64);
    let policy = AnswerPolicy::default();
    let mut chance = Chance::with_seed(7);
    let scope = AnswerScope {
        tenant: TenantId::parse("acme")?,
        request_type: RequestType::Text,
        model: ModelName::parse("small")?,
        version: None,
    };
    let figure = grow("answer", 400, |number| {
        let fingerprint = Fingerprint::of_canonical(&number.to_le_bytes());
        let key = AnswerKey { scope: scope.clone(), fingerprint };
        let body = AnswerBody::Reference(format!("{number:032}").into());
        let answer = NewAnswer { body, volatility: Volatility::Usual, ttl: None };
        answers.store(&key, &answer, &policy, NOW, &mut chance)?;
        if number % COUNTS_FROM == 0 {
            answers.sweep(NOW);
        }
        Ok(())
    })?;
    // The growth is that of as many answers only if none had to go.
    assert_eq!(answers.stats().entries, ENTRIES as u64);
    // Freed, its memory would be taken for the next table, and that would seem to need none.
    std::mem::forget(answers);
    Ok(figure)
}

/// Users under one limit.
fn user_keys() -> Result<Figure, Failure> {
    let limits = Limits::new(Digester::with_secret(7));
    let policy = LimitPolicy { rules: vec![rule()?], ..LimitPolicy::default() };
    let key = RequestKey { tenant: TenantId::parse("acme")?, request: RequestId::parse("1")? };
    let mut request = RouteRequest::of(key, RequestType::Text, ModelName::parse("small")?);
    let figure = grow("user key", 100, |number| {
        request.user = Some(UserId::parse(&number.to_string())?);
        drop(limits.admit_request(&request, &policy, NOW).map_err(|_| "each user asks once")?);
        Ok(())
    })?;
    assert_eq!(limits.stats().keys, ENTRIES);
    std::mem::forget(limits);
    Ok(figure)
}

/// Blocks of prompts, each held by so many nodes.
fn blocks(name: &'static str, holders: usize) -> Result<Figure, Failure> {
    let prefixes = Prefixes::default();
    let nodes: Vec<_> = (0..holders).filter_map(|_| prefixes.join(u32::MAX)).collect();
    let mut chance = Chance::with_seed(7);
    let mut prompt = Vec::new();
    // The keys are no part of it.
    let figure = grow(name, 64, |number| {
        prompt.push(BlockKey::new(chance.u64(..)));
        // Held first by one and then by the next, prompt by prompt.
        if number % (PROMPT * holders) == 0 {
            prompt.truncate(PROMPT);
            for node in &nodes {
                prefixes.place(node, &prompt, usize::MAX, NOW);
            }
            prompt.clear();
        }
        Ok(())
    })?;
    assert_eq!(prefixes.blocks(), ENTRIES);
    std::mem::forget(prefixes);
    Ok(figure)
}

fn rule() -> Result<LimitRule, Failure> {
    Ok(LimitRule {
        name: LimitName::parse("users")?,
        per: Per::User,
        tier: None,
        model: None,
        tenant: None,
        quota: Quota::requests(0.001, NonZeroU32::MIN)?,
        mode: Mode::Enforced,
    })
}

fn grow(
    name: &'static str,
    bytes_max: usize,
    mut add: impl FnMut(usize) -> Result<(), Failure>,
) -> Result<Figure, Failure> {
    let before = resident()?;
    let (mut bytes, mut worst) = (0, 0);
    for number in 1..=ENTRIES {
        add(number)?;
        if number >= COUNTS_FROM && number % 10_000 == 0 {
            bytes = resident()?.saturating_sub(before) / number;
            worst = worst.max(bytes);
        }
    }
    Ok(Figure { name, bytes, worst, bytes_max })
}

/// Bytes of memory that the process has.
fn resident() -> Result<usize, Failure> {
    let pages = fs::read_to_string("/proc/self/statm")?;
    let resident = pages.split(' ').nth(1).ok_or("the second number of statm")?;
    Ok(resident.parse::<usize>()? * 4096)
}

#[expect(clippy::print_stdout, reason = "what it is for")]
fn say(line: &str) {
    println!("{line}");
}
