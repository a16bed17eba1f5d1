//! Does the service make the same fingerprints as gateways in other languages?

use std::collections::BTreeMap;

use pointsman::domain::answer::fingerprint::Fingerprint;
use serde::Deserialize;

/// The request itself is for gateways: it may be one that Rust does not read.
#[derive(Deserialize)]
struct Vector {
    name: String,
    same_as: Option<String>,
    canonical: Option<String>,
    fingerprint: Option<String>,
}

fn vectors() -> Vec<Vector> {
    serde_json::from_str(include_str!("../fingerprint/vectors.json")).expect("the file is ours")
}

#[test]
fn every_vector_has_the_fingerprint_of_its_canonical_form() {
    let vectors = vectors();
    assert!(vectors.len() >= 12);
    for vector in vectors {
        let found = vector.canonical.map(|text| Fingerprint::of_canonical(text.as_bytes()).to_string());
        assert_eq!(found, vector.fingerprint, "{}", vector.name);
    }
}

/// The last message alone, or the conversation without its system prompt, is not the question.
#[test]
fn only_requests_that_mean_the_same_share_a_fingerprint() {
    let mut names = BTreeMap::new();
    for vector in vectors() {
        let Some(fingerprint) = vector.fingerprint else { continue };
        let meant = vector.same_as.unwrap_or(vector.name);
        let first = names.entry(fingerprint).or_insert_with(|| meant.clone());
        assert_eq!(*first, meant);
    }
    let distinct: std::collections::BTreeSet<_> = names.values().collect();
    assert_eq!(distinct.len(), names.len(), "requests that mean the same differ");
}
