use std::{num::NonZeroU32, sync::atomic::Ordering::Relaxed};

use super::*;
use crate::domain::{
    digest::Digest,
    id::{LimitName, TenantId},
    limit::{LimitPolicy, Per},
};

const DIGESTER: Digester = Digester::with_secret(7);

fn rules(names: &[&str]) -> Arc<[LimitRule]> {
    let rule = &LimitPolicy::default().rules[0];
    let named = |name: &&str| LimitRule { name: LimitName::parse(name).expect("a name"), ..rule.clone() };
    names.iter().map(named).collect()
}

/// The key of one value under the first of the rules.
fn key(rules: &Arc<[LimitRule]>) -> Digest {
    Rules::default().of(rules, &DIGESTER).rules[0].keys.digest(&TenantId::parse("acme").expect("a name"), &1)
}

#[test]
fn counts_survive_where_their_rule_does() {
    let ready = Rules::default();
    ready.of(&rules(&["a", "b"]), &DIGESTER).rules[1].tally.fitted.fetch_add(3, Relaxed);
    assert_eq!(ready.of(&rules(&["b", "c"]), &DIGESTER).rules[0].tally.fitted.load(Relaxed), 3);
    let counted: Vec<_> =
        ready.stats().into_iter().map(|rule| (rule.rule.to_string(), rule.fitted)).collect();
    assert_eq!(counted, [("b".to_owned(), 3), ("c".to_owned(), 0)]);
}

#[test]
fn no_more_is_kept_than_there_are_rules() {
    let ready = Rules::default();
    for reload in 0..100 {
        drop(ready.of(&rules(&[&format!("rule-{reload}")]), &DIGESTER));
    }
    assert_eq!(ready.stats().len(), 1);
}

#[test]
fn each_caller_has_its_own_rules_while_policies_change() {
    let ready = Rules::default();
    let (old, new) = (rules(&["a", "b"]), rules(&["b", "c", "d"]));
    std::thread::scope(|scope| {
        for rules in [&old, &new, &old, &new] {
            let ask = || (0..1_000).all(|_| ready.of(rules, &DIGESTER).is_of(rules));
            scope.spawn(move || assert!(ask()));
        }
    });
}

#[test]
fn keys_are_the_same_under_the_same_rule_and_others_under_any_other() {
    let rule = rules(&["a"])[0].clone();
    let keys = |rule: LimitRule| key(&[rule].into());
    let same = keys(rule.clone());
    assert_eq!(key(&rules(&["a"])), same);
    let other = LimitName::parse("b").expect("a name");
    let (one, two) = (NonZeroU32::MIN, NonZeroU32::new(2).expect("it is not 0"));
    let requests = |per_second, burst| Quota::Requests { per_second, burst };
    for different in [
        LimitRule { name: other, ..rule.clone() },
        LimitRule { per: Per::Tenant, ..rule.clone() },
        LimitRule { quota: requests(9.0, one), ..rule.clone() },
        LimitRule { quota: requests(9.0, two), ..rule.clone() },
        LimitRule { quota: Quota::Tokens { per_minute: two, burst: two }, ..rule },
    ] {
        assert_ne!(keys(different.clone()), same, "{different:?}");
    }
}
