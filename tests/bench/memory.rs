//! What does a key of the rate limits cost, in memory and in time?
//!
//! `cargo run --release --example limit_cost`

use std::{
    fs,
    num::NonZeroU32,
    time::{Duration, Instant as Clock},
};

use pointsman::{
    domain::{
        digest::Digester,
        id::{LimitName, ModelName, RequestId, TenantId, UserId},
        limit::{LimitPolicy, LimitRule, Mode, Per, Quota},
        node::RequestType,
        request::{Priority, RequestKey, RouteRequest, Tier},
        time::Instant,
    },
    state::limits::Limits,
};

type Failure = Box<dyn std::error::Error>;

const KEYS: usize = 1_000_000;
const BYTES_MAX: usize = 100;
const NOW: Instant = Instant::from_nanos(1_000_000_000);

fn main() -> Result<(), Failure> {
    let limits = Limits::new(Digester::with_secret(3));
    let policy = policy()?;
    let mut request = request()?;
    let mut ask = |user: UserId| {
        request.user = Some(user);
        limits.admit_request(&request, &policy, NOW).is_ok()
    };

    let before = resident()?;
    let mut worst = 0;
    for number in 1..=KEYS {
        assert!(ask(user(number)?), "each key is new");
        // Small tables cost little however wasteful; from a tenth on they count.
        if number >= KEYS / 10 && number % 10_000 == 0 {
            worst = worst.max((resident()? - before) / number);
        }
    }
    say(&format!("{} bytes a key of {KEYS}, {worst} at worst on the way", (resident()? - before) / KEYS));

    let users = (1..=KEYS).step_by(10).map(user).collect::<Result<Vec<_>, _>>()?;
    let mut ask_all = || users.iter().filter(|user| ask((*user).clone())).count();
    for (verb, admitted) in [("admit", users.len()), ("refuse", 0)] {
        let took = took(|| assert_eq!(ask_all(), admitted));
        say(&format!("to {verb} takes {} ns", took.as_nanos() / users.len() as u128));
    }
    let again = took(|| users.iter().for_each(|_| assert!(!ask(users[0].clone()))));
    say(&format!("to refuse the same one again takes {} ns", again.as_nanos() / users.len() as u128));
    say(&format!("to sweep takes {:?}", took(|| limits.sweep(NOW))));
    assert!(worst <= BYTES_MAX, "{worst} bytes a key");
    Ok(())
}

fn user(number: usize) -> Result<UserId, Failure> {
    Ok(UserId::parse(&number.to_string())?)
}

fn policy() -> Result<LimitPolicy, Failure> {
    let rule = LimitRule {
        name: LimitName::parse("users")?,
        per: Per::User,
        tier: None,
        model: None,
        tenant: None,
        quota: Quota::requests(0.001, NonZeroU32::MIN.saturating_add(1))?,
        mode: Mode::Enforced,
    };
    Ok(LimitPolicy { rules: vec![rule], ..LimitPolicy::default() })
}

fn request() -> Result<RouteRequest, Failure> {
    Ok(RouteRequest {
        key: RequestKey { tenant: TenantId::parse("acme")?, request: RequestId::parse("1")? },
        user: None,
        request_type: RequestType::Text,
        model: ModelName::parse("small")?,
        version: None,
        tier: Tier::Free,
        priority: Priority::Normal,
        excluded: Vec::new(),
        prompt_tokens: None,
        lease_ttl: None,
        explain: false,
    })
}

#[expect(clippy::disallowed_methods, reason = "a measurement of real time")]
fn took(work: impl FnOnce()) -> Duration {
    let start = Clock::now();
    work();
    start.elapsed()
}

/// Bytes of memory that the process has; Linux only.
fn resident() -> Result<usize, Failure> {
    let pages = fs::read_to_string("/proc/self/statm")?;
    let resident = pages.split(' ').nth(1).ok_or("the second number of statm")?;
    Ok(resident.parse::<usize>()? * 4096)
}

#[expect(clippy::print_stdout, reason = "what it is for")]
fn say(line: &str) {
    println!("{line}");
}
