//! Does it do what a map without any cleverness does, and never give one tenant another's answer?

use std::collections::HashMap;

use super::*;

const TENANTS: usize = 4;
const QUESTIONS: usize = 64;

/// What a map would remember of an answer.
#[derive(Debug, Clone)]
struct Kept {
    name: String,
    lifetime: Lifetime,
}

struct World {
    answers: Answers,
    policy: AnswerPolicy,
    keys: Vec<AnswerKey>,
    model: HashMap<usize, Kept>,
    now: Instant,
    chance: Chance,
    hits: u64,
}

impl World {
    /// The same questions for every tenant, two models and a version or none: all that could be mixed up.
    fn new(seed: u64) -> Self {
        let key = |i: usize| {
            let mut key = question(&(i / TENANTS / 4).to_string());
            key.scope.tenant = tenant(&format!("tenant-{}", i % TENANTS));
            key.scope.model = model(if (i / TENANTS).is_multiple_of(2) { "m" } else { "n" });
            key.scope.version = (i / TENANTS / 2).is_multiple_of(2).then(|| version("1"));
            key
        };
        Self {
            answers: answers(),
            policy: AnswerPolicy { jitter: Ratio::try_new(0.3).expect("a ratio"), ..policy() },
            keys: (0..TENANTS * QUESTIONS).map(key).collect(),
            model: HashMap::new(),
            now: at(0),
            chance: Chance::with_seed(seed),
            hits: 0,
        }
    }

    fn step(&mut self, number: u64) {
        let i = self.chance.usize(..self.keys.len());
        match self.chance.u32(..100_000) {
            ..30_000 => self.store(i, number),
            30_000..99_990 => self.look(i),
            99_990..99_992 => self.purge(&PurgeScope::Tenant(self.keys[i].scope.tenant.clone())),
            99_992..99_995 => {
                let AnswerScope { tenant, model, .. } = self.keys[i].scope.clone();
                self.purge(&PurgeScope::Model(tenant, model));
            }
            99_995..99_997 => {
                let AnswerScope { tenant, model, .. } = self.keys[i].scope.clone();
                self.purge(&PurgeScope::Version(tenant, model, version("1")));
            }
            _ => self.purge(&PurgeScope::Answer(self.keys[i].clone())),
        }
        self.now = self.now + Duration::from_millis(self.chance.u64(..100));
    }

    fn store(&mut self, i: usize, number: u64) {
        let name = format!("{} {number}", self.keys[i].scope.tenant);
        let stored =
            self.answers.store(&self.keys[i], &reference(&name), &self.policy, self.now, &mut self.chance);
        self.model.insert(i, Kept { name, lifetime: stored.expect("it is short") });
    }

    fn look(&mut self, i: usize) {
        let found = self.answers.lookup(&self.keys[i], self.now);
        if let Some(AnswerBody::Reference(name)) = self::found(&found) {
            self.hits += 1;
            let owner = name.split(' ').next().expect("it has a first word");
            assert_eq!(owner, self.keys[i].scope.tenant.as_str(), "another tenant's answer");
        }
        let kept = self.model.get(&i);
        match found {
            Lookup::Fresh(answer) => {
                let kept = kept.expect("it was stored");
                assert!(self.now < kept.lifetime.fresh_until);
                assert_eq!(answer.body, AnswerBody::Reference(kept.name.as_str().into()));
            }
            Lookup::Stale(answer) => {
                let kept = kept.expect("it was stored");
                assert!(kept.lifetime.fresh_until <= self.now && self.now < kept.lifetime.stale_until);
                assert_eq!(answer.body, AnswerBody::Reference(kept.name.as_str().into()));
            }
            Lookup::Miss => assert!(kept.is_none_or(|kept| kept.lifetime.stale_until <= self.now)),
        }
    }

    fn purge(&mut self, scope: &PurgeScope) {
        self.answers.purge(scope);
        let keys = &self.keys;
        self.model.retain(|i, _| !is_within(&keys[*i], scope));
    }
}

fn is_within(key: &AnswerKey, scope: &PurgeScope) -> bool {
    let AnswerScope { tenant, model, version, .. } = &key.scope;
    match scope {
        PurgeScope::Tenant(of) => tenant == of,
        PurgeScope::Model(of, purged) => tenant == of && model == purged,
        PurgeScope::Version(of, purged, which) => {
            tenant == of && model == purged && version.as_ref() == Some(which)
        }
        PurgeScope::Answer(one) => key == one,
    }
}

fn run(steps: u64) {
    let mut world = World::new(11);
    for number in 0..steps {
        world.step(number);
    }
    assert!(world.hits > steps / 4, "{} hits", world.hits);
}

#[test]
fn three_hundred_thousand_operations_agree_with_a_map() {
    run(300_000);
}

/// Run it in release: `cargo test --release --lib ten_million -- --ignored`.
#[test]
#[ignore = "nine seconds in release, two minutes without"]
fn ten_million_operations_agree_with_a_map() {
    run(10_000_000);
}
