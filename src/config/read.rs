//! Do the values have the right keys, types and ranges?
//!
//! Serde stops at the first error. So what is wrong is taken out, which leaves the default in its place, and the rest
//! is read again, until nothing more is found.

use garde::Validate as _;
use serde_json::Value;
use serde_path_to_error::Segment;

use super::{
    error::Problem,
    key::{Key, Step},
    nearest::closest,
    raw::Raw,
    schema::Schema,
    tree::Tree,
};

/// Most type errors that are told at once.
const PROBLEMS_MAX: usize = 50;

/// Reads the tree; what is wrong is taken out of it. `None` if nothing could be read.
pub fn raw(tree: &mut Tree, schema: &Schema) -> (Option<Raw>, Vec<Problem>) {
    let mut problems = unknown_keys(tree, schema);
    for _ in 0..PROBLEMS_MAX {
        match serde_path_to_error::deserialize::<_, Raw>(&tree.value) {
            Ok(raw) => {
                problems.extend(ranges(&raw, tree, schema));
                return (Some(raw), problems);
            }
            Err(error) => {
                let problem = problem(tree, schema, key(error.path()), &error.inner().to_string());
                let out = take_out(tree, &problem.key);
                // What was taken out for being wrong is not missing.
                if problems.iter().all(|told| told.key != problem.key) {
                    problems.push(problem);
                }
                if !out {
                    break;
                }
            }
        }
    }
    (None, problems)
}

/// Takes the value out. One in a list cannot go alone, since the others would move: then the list goes.
fn take_out(tree: &mut Tree, key: &Key) -> bool {
    let mut at = Some(key.clone());
    while let Some(key) = at {
        if tree.remove(&key).is_some() {
            return true;
        }
        at = key.parent();
    }
    false
}

/// Takes out keys that are not known, and lists where a mapping belongs: serde would read these as the mapping's
/// values in order.
fn unknown_keys(tree: &mut Tree, schema: &Schema) -> Vec<Problem> {
    let mut found = Vec::new();
    collect(&tree.value, &Key::default(), schema, &mut found);
    let problem = |(key, what): &(Key, &str)| Problem {
        place: tree.place(key),
        key: key.clone(),
        what: (*what).to_owned(),
        hint: if *what == UNKNOWN { known_keys(key, schema) } else { schema.hint(key) },
    };
    let problems = found.iter().map(problem).collect();
    for (key, _) in &found {
        tree.remove(key);
    }
    problems
}

const UNKNOWN: &str = "unknown key";

fn known_keys(key: &Key, schema: &Schema) -> String {
    let section = key.parent().unwrap_or_default();
    let known = schema.keys(&section);
    let wrong = match key.steps().last() {
        Some(Step::Name(name)) => name.as_str(),
        _ => "",
    };
    match closest(wrong, known.iter().map(String::as_str)) {
        Some(near) => format!("did you mean `{}`?", section.child(Step::Name(near.to_owned()))),
        None => format!("known here are `{}`", known.join("`, `")),
    }
}

fn collect(value: &Value, at: &Key, schema: &Schema, found: &mut Vec<(Key, &'static str)>) {
    let known = schema.keys(at);
    match value {
        Value::Object(map) => {
            // A mapping where none belongs is a matter of type, and some take any key.
            let closed = !known.is_empty() && !schema.is_open(at);
            for (name, value) in map {
                let key = at.child(Step::Name(name.clone()));
                if closed && !known.contains(name) {
                    found.push((key, UNKNOWN));
                } else {
                    collect(value, &key, schema, found);
                }
            }
        }
        Value::Array(_) if !known.is_empty() => found.push((at.clone(), "must be a mapping, not a list")),
        Value::Array(list) => {
            for (i, value) in list.iter().enumerate() {
                collect(value, &at.child(Step::Index(i)), schema, found);
            }
        }
        _ => {}
    }
}

fn key(path: &serde_path_to_error::Path) -> Key {
    let step = |segment: &Segment| match segment {
        Segment::Seq { index } => Some(Step::Index(*index)),
        Segment::Map { key } => Some(Step::Name(key.clone())),
        Segment::Enum { .. } | Segment::Unknown => None,
    };
    path.iter().filter_map(step).collect()
}

/// Our own readers put their hint into the message, the rest is told what the key means.
fn problem(tree: &Tree, schema: &Schema, key: Key, message: &str) -> Problem {
    let missing = message.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`'));
    let (key, what, hint) = match (missing, message.split_once("; hint: ")) {
        (Some(name), _) => (key.child(Step::Name(name.to_owned())), "is required".to_owned(), None),
        (None, Some((what, hint))) => (key, what.to_owned(), Some(hint.to_owned())),
        (None, None) => (key, plain(message), None),
    };
    Problem { place: tree.place(&key), what, hint: hint.unwrap_or_else(|| schema.hint(&key)), key }
}

/// Rust's names of numbers mean nothing to the operator.
fn plain(message: &str) -> String {
    let spoken = [
        ("expected f64", "expected a number"),
        ("expected usize", "expected a whole number, 0 or more"),
        ("expected u64", "expected a whole number, 0 or more"),
        ("expected u32", "expected a whole number, 0 or more"),
        ("expected a nonzero u32", "expected a whole number, 1 or more"),
        ("expected a nonzero u64", "expected a whole number, 1 or more"),
        ("expected a string", "expected text (numbers that are text stand in quotes)"),
        ("expected a sequence", "expected a list"),
    ];
    if let Some((found, _)) = message.split_once("expected struct ") {
        return format!("{found}expected a mapping");
    }
    spoken.iter().fold(message.to_owned(), |message, (rust, plain)| message.replace(rust, plain))
}

fn ranges(raw: &Raw, tree: &Tree, schema: &Schema) -> Vec<Problem> {
    let Err(report) = raw.validate() else { return Vec::new() };
    let problem = |(path, error): &(garde::Path, garde::Error)| {
        let key = Key::parse(&path.to_string());
        let what = match tree.get(&key) {
            Some(Value::String(text)) => format!("`{text}` is {error}"),
            Some(Value::Array(_) | Value::Object(_)) | None => error.to_string(),
            Some(value) => format!("`{value}` is {error}"),
        };
        Problem { place: tree.place(&key), what, hint: schema.hint(&key), key }
    };
    report.iter().map(problem).collect()
}
