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
    raw::Raw,
    schema::{Schema, closest},
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
                let key = key(error.path());
                problems.push(problem(tree, schema, &key, &error.inner().to_string()));
                if !take_out(tree, &key) {
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

fn unknown_keys(tree: &mut Tree, schema: &Schema) -> Vec<Problem> {
    let mut unknown = Vec::new();
    collect(&tree.value, &Key::default(), schema, &mut unknown);
    let mut problems = Vec::new();
    for key in unknown {
        let section = key.parent().unwrap_or_default();
        let known = schema.keys(&section);
        let hint = match (schema.nearest(&key), key.steps().last()) {
            (Some(near), _) => format!("did you mean `{near}`?"),
            (None, _) => format!("known here are `{}`", known.join("`, `")),
        };
        problems.push(Problem {
            place: tree.place(&key),
            key: key.clone(),
            what: "unknown key".into(),
            hint,
        });
        tree.remove(&key);
    }
    problems
}

fn collect(value: &Value, at: &Key, schema: &Schema, unknown: &mut Vec<Key>) {
    match value {
        Value::Object(map) => {
            let (known, open) = (schema.keys(at), schema.is_open(at));
            // A mapping where none belongs is a matter of type.
            let closed = !known.is_empty() && !open;
            for (name, value) in map {
                let key = at.child(Step::Name(name.clone()));
                if closed && !known.contains(name) {
                    unknown.push(key);
                } else {
                    collect(value, &key, schema, unknown);
                }
            }
        }
        Value::Array(list) => {
            for (i, value) in list.iter().enumerate() {
                collect(value, &at.child(Step::Index(i)), schema, unknown);
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
fn problem(tree: &Tree, schema: &Schema, key: &Key, message: &str) -> Problem {
    let (what, hint) = match message.split_once("; hint: ") {
        Some((what, hint)) => (what.to_owned(), hint.to_owned()),
        None => (plain(message), schema.hint(key)),
    };
    Problem { place: tree.place(key), key: key.clone(), what, hint }
}

/// Rust's names of numbers mean nothing to the operator.
fn plain(message: &str) -> String {
    let spoken = [
        ("expected f64", "expected a number"),
        ("expected usize", "expected a whole number, 0 or more"),
        ("expected u64", "expected a whole number, 0 or more"),
        ("expected u32", "expected a whole number, 0 or more"),
        ("expected a nonzero u32", "expected a whole number, 1 or more"),
        ("expected a string", "expected text (numbers that are text stand in quotes)"),
        ("expected a sequence", "expected a list"),
        ("expected struct ", "expected a mapping: "),
    ];
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

/// The hint for a word that is none of those known.
pub fn word_hint(wrong: &str, known: &[&str]) -> String {
    match closest(wrong, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("choose one of `{}`", known.join("`, `")),
    }
}
