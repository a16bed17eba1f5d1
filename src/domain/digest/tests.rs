use std::collections::HashSet;

use super::*;

fn tenant(name: &str) -> TenantId {
    TenantId::parse(name).expect("a good name")
}

#[test]
fn the_same_key_has_the_same_digest() {
    let digester = Digester::with_secret(1);
    assert_eq!(digester.digest(&tenant("a"), &("user", 1)), digester.digest(&tenant("a"), &("user", 1)));
}

#[test]
fn tenant_key_and_secret_each_change_it() {
    let of = |secret, name, key: &(&str, &str)| Digester::with_secret(secret).digest(&tenant(name), key);
    let digests = HashSet::from([
        of(1, "a", &("b", "c")),
        of(2, "a", &("b", "c")),
        of(1, "b", &("b", "c")),
        of(1, "a", &("b", "d")),
        of(1, "a", &("bc", "")),
        of(1, "ab", &("", "c")),
    ]);
    assert_eq!(digests.len(), 6);
}

#[test]
fn a_log_shows_a_quarter_of_it() {
    let digest = Digester::default().digest(&tenant("a"), &"key");
    assert_eq!(format!("{digest:?}").chars().count(), 9);
}
