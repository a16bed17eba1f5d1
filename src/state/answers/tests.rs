mod leading;
mod memory;
mod model;

use std::time::Duration;

use super::*;
use crate::domain::{
    answer::{AnswerBody, AnswerScope, ContentType, InlineAnswer, Volatility, fingerprint::Fingerprint},
    id::RequestId,
    load::Ratio,
    node::RequestType,
};

fn tenant(name: &str) -> TenantId {
    TenantId::parse(name).expect("a good name")
}

fn model(name: &str) -> ModelName {
    ModelName::parse(name).expect("a good name")
}

fn version(name: &str) -> ModelVersion {
    ModelVersion::parse(name).expect("a good name")
}

fn at(secs: u64) -> Instant {
    Instant::after_start(Duration::from_secs(secs))
}

/// A question of tenant `a`.
fn question(prompt: &str) -> AnswerKey {
    let scope = AnswerScope {
        tenant: tenant("a"),
        request_type: RequestType::Text,
        model: model("m"),
        version: Some(version("1")),
    };
    AnswerKey { scope, fingerprint: Fingerprint::of_canonical(prompt.as_bytes()) }
}

fn reference(name: &str) -> NewAnswer {
    NewAnswer { body: AnswerBody::Reference(name.into()), volatility: Volatility::Usual, ttl: None }
}

fn inline(bytes: &[u8]) -> NewAnswer {
    let content_type = ContentType::parse("application/json").expect("a media type");
    let body = AnswerBody::Inline(Arc::new(InlineAnswer { content_type, bytes: bytes.into() }));
    NewAnswer { body, volatility: Volatility::Usual, ttl: None }
}

/// Ten seconds fresh and ten more stale, to the nanosecond.
fn policy() -> AnswerPolicy {
    let mut policy = AnswerPolicy { jitter: Ratio::ZERO, ..AnswerPolicy::default() };
    policy.usual.text = Duration::from_secs(10);
    policy.stale_for = Duration::from_secs(10);
    policy
}

fn answers() -> Answers {
    Answers::new(Digester::with_secret(7), 1 << 30)
}

fn store(answers: &Answers, key: &AnswerKey, answer: &NewAnswer, now: Instant) {
    answers.store(key, answer, &policy(), now, &mut Chance::with_seed(1)).expect("it is small");
}

impl Answers {
    /// As a decision does: looks, and notes what came of it.
    fn lookup(&self, key: &AnswerKey, now: Instant) -> Lookup {
        let question = self.question(key);
        let found = self.peek(&question, now);
        let verdict = match found {
            Lookup::Fresh(_) => AnswerVerdict::Fresh,
            Lookup::Stale(_) => AnswerVerdict::Stale,
            Lookup::Miss => AnswerVerdict::Miss,
        };
        self.note(&question, verdict, now);
        found
    }
}

fn found(lookup: &Lookup) -> Option<&AnswerBody> {
    match lookup {
        Lookup::Fresh(answer) | Lookup::Stale(answer) => Some(&answer.body),
        Lookup::Miss => None,
    }
}

#[test]
fn the_same_question_gets_the_same_bytes() {
    let answers = answers();
    let answer = inline(b"{\"text\":\"caf\xc3\xa9\0\xff\"}");
    store(&answers, &question("q"), &answer, at(0));
    for _ in 0..2 {
        let Lookup::Fresh(hit) = answers.lookup(&question("q"), at(1)) else { panic!("it is there") };
        assert_eq!(hit.body, answer.body);
        assert_eq!(hit.stored_at, at(0));
    }
}

#[test]
fn whatever_differs_it_is_another_question() {
    let answers = answers();
    store(&answers, &question("q"), &reference("r"), at(0));
    let differing: [fn(&mut AnswerKey); 6] = [
        |key| key.scope.tenant = tenant("b"),
        |key| key.scope.request_type = RequestType::Image,
        |key| key.scope.model = model("m2"),
        |key| key.scope.version = Some(version("2")),
        |key| key.scope.version = None,
        |key| key.fingerprint = Fingerprint::of_canonical(b"another"),
    ];
    for differ in differing {
        let mut other = question("q");
        differ(&mut other);
        assert_eq!(answers.lookup(&other, at(1)), Lookup::Miss, "{other:?}");
    }
    assert_ne!(answers.lookup(&question("q"), at(1)), Lookup::Miss);
}

#[test]
fn every_bit_of_the_fingerprint_counts() {
    let answers = answers();
    store(&answers, &question("q"), &reference("r"), at(0));
    for bit in 0..128 {
        let mut bytes = *question("q").fingerprint.as_bytes();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let fingerprint = Fingerprint::try_from_bytes(&bytes).expect("it is not all zero");
        let other = AnswerKey { fingerprint, ..question("q") };
        assert_eq!(answers.lookup(&other, at(1)), Lookup::Miss, "bit {bit}");
    }
}

#[test]
fn an_answer_is_fresh_then_stale_then_gone() {
    let answers = answers();
    store(&answers, &question("q"), &reference("r"), at(0));
    let before = |secs| Instant::from_nanos(at(secs).as_nanos() - 1);
    assert!(matches!(answers.lookup(&question("q"), before(10)), Lookup::Fresh(_)));
    assert!(matches!(answers.lookup(&question("q"), at(10)), Lookup::Stale(_)));
    assert!(matches!(answers.lookup(&question("q"), before(20)), Lookup::Stale(_)));
    assert_eq!(answers.lookup(&question("q"), at(20)), Lookup::Miss);
}

#[test]
fn a_lookup_lets_go_of_what_has_had_its_time() {
    let answers = answers();
    store(&answers, &question("q"), &reference("r"), at(0));
    assert_eq!(answers.peek(&answers.question(&question("q")), at(20)), Lookup::Miss);
    answers.sweep(at(20));
    assert_eq!(answers.stats().entries, 1, "a peek drops nothing");
    assert_eq!(answers.lookup(&question("q"), at(20)), Lookup::Miss);
    answers.sweep(at(20));
    assert_eq!(answers.stats().entries, 0);
}

#[test]
fn a_newer_answer_takes_the_place_of_an_older() {
    let answers = answers();
    store(&answers, &question("q"), &reference("old"), at(0));
    store(&answers, &question("q"), &reference("new"), at(5));
    let Lookup::Fresh(hit) = answers.lookup(&question("q"), at(14)) else { panic!("it is fresh till 15 s") };
    assert_eq!(hit.body, reference("new").body);
    answers.sweep(at(14));
    assert_eq!(answers.stats().entries, 1);
}

#[test]
fn what_is_too_long_is_refused_with_the_bound() {
    let answers = answers();
    let policy = AnswerPolicy { body_bytes_max: 4, reference_bytes_max: 2, ..policy() };
    let store =
        |answer: NewAnswer| answers.store(&question("q"), &answer, &policy, at(0), &mut Chance::with_seed(1));
    assert_eq!(store(inline(b"12345")), Err(StoreRefusal::BodyTooLong { bytes: 5, bytes_max: 4 }));
    assert_eq!(store(reference("abc")), Err(StoreRefusal::ReferenceTooLong { bytes: 3, bytes_max: 2 }));
    assert_eq!(answers.lookup(&question("q"), at(0)), Lookup::Miss);
    assert!(store(inline(b"1234")).is_ok());
    assert!(store(reference("ab")).is_ok());
}

#[test]
fn a_purge_takes_its_scope_and_nothing_else() {
    let in_scope = |tenant: &str, model: &str, version: Option<ModelVersion>| {
        let mut key = question("q");
        key.scope = AnswerScope {
            tenant: self::tenant(tenant),
            model: self::model(model),
            version,
            request_type: RequestType::Text,
        };
        key
    };
    let keys = [
        in_scope("a", "m", Some(version("1"))),
        in_scope("a", "m", Some(version("2"))),
        in_scope("a", "m", None),
        in_scope("a", "n", Some(version("1"))),
        in_scope("b", "m", Some(version("1"))),
    ];
    let left_after = |scope: PurgeScope| {
        let answers = answers();
        for key in &keys {
            store(&answers, key, &reference("r"), at(0));
        }
        let purged = answers.purge(&scope);
        let left: Vec<_> =
            (0..keys.len()).filter(|i| found(&answers.lookup(&keys[*i], at(1))).is_some()).collect();
        assert_eq!(usize::try_from(purged).unwrap() + left.len(), keys.len());
        assert_eq!(answers.stats().purged, purged);
        left
    };
    assert_eq!(left_after(PurgeScope::Tenant(tenant("a"))), [4]);
    assert_eq!(left_after(PurgeScope::Model(tenant("a"), model("m"))), [3, 4]);
    assert_eq!(left_after(PurgeScope::Version(tenant("a"), model("m"), version("1"))), [1, 2, 3, 4]);
    assert_eq!(left_after(PurgeScope::Answer(keys[2].clone())), [0, 1, 3, 4]);
    assert_eq!(left_after(PurgeScope::Tenant(tenant("c"))), [0, 1, 2, 3, 4]);
}

/// Writers make the table grow while it is read through; what was there before must be met all the same.
#[test]
fn a_purge_among_stores_leaves_nothing_that_was_there_before() {
    let answers = answers();
    let mine: Vec<_> = (0..2_000).map(|i| question(&format!("mine {i}"))).collect();
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        for writer in 0..2 {
            let (answers, stop) = (&answers, &stop);
            scope.spawn(move || {
                let mut other = question("q");
                other.scope.tenant = tenant("b");
                for i in 0..200_000 {
                    if stop.load(std::sync::atomic::Ordering::Relaxed) {
                        return;
                    }
                    other.fingerprint = Fingerprint::of_canonical(format!("{writer} {i}").as_bytes());
                    store(answers, &other, &reference("theirs"), at(0));
                }
            });
        }
        for _ in 0..5 {
            for key in &mine {
                store(&answers, key, &reference("mine"), at(0));
            }
            assert_eq!(answers.purge(&PurgeScope::Tenant(tenant("a"))), 2_000);
            assert!(mine.iter().all(|key| answers.peek(&answers.question(key), at(1)) == Lookup::Miss));
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
    });
}

#[test]
fn what_happens_is_counted_and_a_peek_is_not() {
    let answers = answers();
    answers.lookup(&question("q"), at(0));
    store(&answers, &question("q"), &reference("r"), at(0));
    answers.lookup(&question("q"), at(1));
    answers.lookup(&question("q"), at(2));
    answers.lookup(&question("q"), at(11));
    answers.count_coalesced();
    let before = answers.stats();
    assert_eq!((before.misses, before.hits, before.stale_hits), (1, 2, 1));
    assert_eq!((before.stored, before.coalesced), (1, 1));
    answers.peek(&answers.question(&question("q")), at(1));
    answers.peek(&answers.question(&question("other")), at(1));
    assert_eq!(answers.stats(), before);
}

/// Prints how long purges take among a million answers.
#[test]
#[ignore = "measures this machine's speed: run it alone, in release"]
#[expect(clippy::disallowed_methods, reason = "it measures")]
fn a_million_answers_are_purged_in_little_time() {
    let answers = answers();
    let mut key = question("q");
    for i in 0..1_000_000_u32 {
        key.scope.tenant = tenant(if i % 100 == 0 { "few" } else { "many" });
        key.fingerprint = Fingerprint::of_canonical(&i.to_le_bytes());
        store(&answers, &key, &reference(&format!("{i:032}")), at(0));
    }
    for name in ["none", "few", "many"] {
        let began = std::time::Instant::now();
        let purged = answers.purge(&PurgeScope::Tenant(tenant(name)));
        println!("{purged} of a million purged in {:?}", began.elapsed());
    }
    assert_eq!(answers.stats().purged, 1_000_000);
}
