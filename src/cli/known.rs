//! A known answer, for people: where it is, or the answer itself if it is a short text.

use super::{
    decision::line,
    values::{or_dash, show_duration},
    words::printable,
};
use crate::proto::{CachedAnswer, cached_answer::Body};

/// Longer texts are counted and not shown; `-o json` holds them whole.
const SHOWN_BYTES_MAX: usize = 2048;

/// The answer, how old it is, and its text.
pub fn lines(answer: &CachedAnswer) -> Vec<String> {
    let freshness = if answer.stale { "stale" } else { "fresh" };
    let age = or_dash(answer.age.map(show_duration));
    let mut lines = vec![format!("known answer: {}", place(answer.body.as_ref()))];
    lines.push(line(freshness, &format!("stored {age} ago")));
    if answer.coalesced {
        lines.push(line("coalesced", "an identical request was answered meanwhile"));
    }
    if !answer.content_type.is_empty() {
        lines.push(line("type", &printable(&answer.content_type)));
    }
    if let Some(text) = readable(answer.body.as_ref()) {
        lines.push("  answer".to_owned());
        // Set in, so that no answer looks like a line of ours.
        lines.extend(text.lines().map(|line| format!("    {line}").trim_end().to_owned()));
    }
    lines
}

fn place(body: Option<&Body>) -> String {
    match body {
        Some(Body::Reference(reference)) => printable(reference),
        Some(Body::Inline(bytes)) if bytes.len() == 1 => "1 byte".to_owned(),
        Some(Body::Inline(bytes)) => format!("{} bytes", bytes.len()),
        None => "of a kind that this version does not know".to_owned(),
    }
}

/// The body as a short text that leaves the terminal alone; `None` if it is none.
fn readable(body: Option<&Body>) -> Option<&str> {
    let Some(Body::Inline(bytes)) = body else { return None };
    let text = str::from_utf8(bytes).ok().filter(|text| (1..=SHOWN_BYTES_MAX).contains(&text.len()))?;
    let quiet = |letter: char| !letter.is_control() || matches!(letter, '\n' | '\r' | '\t');
    // A carriage return is quiet only before the end of its line.
    let overwrites = text.replace("\r\n", "\n").contains('\r');
    (text.chars().all(quiet) && !overwrites).then_some(text)
}

#[cfg(test)]
mod tests;
