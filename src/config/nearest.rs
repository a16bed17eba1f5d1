//! What may have been meant by a word that is not known?

/// The word that was probably meant.
pub fn closest<'a>(wrong: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let scored = known.map(|word| (strsim::jaro_winkler(wrong, word), word));
    // Below this the word is a different one, and the hint would mislead.
    let near = scored.filter(|(score, _)| *score > 0.85);
    near.max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, word)| word)
}

/// The hint for a word that is none of those known.
pub fn word_hint(wrong: &str, known: &[&str]) -> String {
    match closest(wrong, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("choose one of `{}`", known.join("`, `")),
    }
}
