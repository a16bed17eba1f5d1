use super::*;
use crate::domain::limit::LimitPolicy;

fn rules(names: &[&str]) -> Vec<LimitRule> {
    let rule = LimitPolicy::default().rules.remove(0);
    let named = |name: &&str| LimitRule { name: LimitName::parse(name).expect("a name"), ..rule.clone() };
    names.iter().map(named).collect()
}

#[test]
fn counts_survive_where_their_rule_does() {
    let tallies = Tallies::default();
    tallies.of(&rules(&["a", "b"]))[1].fitted.fetch_add(3, Relaxed);
    assert_eq!(tallies.of(&rules(&["b", "c"]))[0].fitted.load(Relaxed), 3);
    let counted: Vec<_> =
        tallies.stats().into_iter().map(|rule| (rule.rule.to_string(), rule.fitted)).collect();
    assert_eq!(counted, [("b".to_owned(), 3), ("c".to_owned(), 0)]);
}

#[test]
fn there_are_no_more_tallies_than_rules() {
    let tallies = Tallies::default();
    for reload in 0..100 {
        drop(tallies.of(&rules(&[&format!("rule-{reload}")])));
    }
    assert_eq!(tallies.stats().len(), 1);
}

#[test]
fn each_caller_has_the_tallies_of_its_rules_while_policies_change() {
    let tallies = Tallies::default();
    let (old, new) = (rules(&["a", "b"]), rules(&["b", "c", "d"]));
    std::thread::scope(|scope| {
        for rules in [&old, &new, &old, &new] {
            let ask = || (0..1_000).all(|_| are_of(&tallies.of(rules), rules));
            scope.spawn(move || assert!(ask()));
        }
    });
}
