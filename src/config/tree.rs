//! What does the file say, and on which line does each value stand?
//!
//! The file becomes plain values before it becomes ours: the environment and the flags are laid over it, and whoever
//! finds something wrong later asks here for the place.

mod yaml;

use std::{collections::BTreeMap, path::Path};

use serde_json::{Map, Value};
use serde_saphyr::{Location, Spanned};

use self::yaml::{Node, explain, options};
use super::{
    error::{Place, Problem},
    key::{Key, Step},
};

/// Values and where each is written.
#[derive(Debug, Clone, PartialEq)]
pub struct Tree {
    /// The values: a mapping.
    pub value: Value,
    places: BTreeMap<Key, Place>,
}

impl Default for Tree {
    fn default() -> Self {
        Self { value: Value::Object(Map::new()), places: BTreeMap::new() }
    }
}

impl Tree {
    /// Reads the text of a file. A mapping's empty value (`policy:` with all its lines commented out) is as if the
    /// key were not there.
    pub fn parse(path: &Path, text: &str) -> Result<Self, Problem> {
        let place = |at: Location| Place::File { line: at.line(), column: at.column(), path: path.into() };
        let refuse = |at: Location, what: String, hint: &str| Problem {
            place: place(at),
            key: Key::default(),
            what,
            hint: hint.into(),
        };
        let document: Spanned<Node> = match serde_saphyr::from_str_with_options(text, options()) {
            Ok(document) => document,
            Err(serde_saphyr::Error::Eof { .. }) => return Ok(Self::empty(path)),
            Err(error) => {
                let (what, hint) = explain(&error);
                return Err(refuse(error.location().unwrap_or(Location::UNKNOWN), what, hint));
            }
        };
        if !matches!(document.value, Node::Map(_) | Node::Plain(Value::Null)) {
            let hint = "start with a key such as `policy:`";
            return Err(refuse(document.referenced, "must be a mapping of keys to values".into(), hint));
        }
        let mut tree = Self::empty(path);
        let value = tree.take(&Key::default(), document, &place);
        tree.value = if value.is_null() { Value::Object(Map::new()) } else { value };
        Ok(tree)
    }

    /// A tree without values.
    pub fn empty(path: &Path) -> Self {
        let nowhere = Place::File { line: 0, column: 0, path: path.into() };
        Self { value: Value::Object(Map::new()), places: BTreeMap::from([(Key::default(), nowhere)]) }
    }

    fn take(&mut self, key: &Key, node: Spanned<Node>, place: &impl Fn(Location) -> Place) -> Value {
        if *key != Key::default() {
            self.places.insert(key.clone(), place(node.referenced));
        }
        match node.value {
            Node::Plain(value) => value,
            Node::List(nodes) => {
                let child = |(i, node)| self.take(&key.child(Step::Index(i)), node, place);
                Value::Array(nodes.into_iter().enumerate().map(child).collect())
            }
            Node::Map(entries) => {
                let mut map = Map::new();
                for (name, node) in entries {
                    let child = key.child(Step::Name(name.value.clone()));
                    let value = self.take(&child, node, place);
                    // By its name, since the value of a section begins a line later.
                    self.places.insert(child, place(name.referenced));
                    if !value.is_null() {
                        map.insert(name.value, value);
                    }
                }
                Value::Object(map)
            }
        }
    }

    /// Lays a value over what is there; tells the key that is in the way if it is no mapping.
    pub fn set(&mut self, key: &Key, value: Value, place: Place) -> Result<(), Key> {
        let mut at = &mut self.value;
        let mut walked = Key::default();
        for step in key.steps() {
            let Step::Name(name) = step else { return Err(walked) };
            if at.is_null() {
                *at = Value::Object(Map::new());
            }
            let Value::Object(map) = at else { return Err(walked) };
            at = map.entry(name.clone()).or_insert(Value::Null);
            walked = walked.child(step.clone());
        }
        *at = value;
        // What stood below is gone, and so are its places.
        self.places.retain(|written, _| !written.steps().starts_with(key.steps()));
        self.places.insert(key.clone(), place);
        Ok(())
    }

    /// Where the value is written; where the section is that it is missing from, if it is not.
    pub fn place(&self, key: &Key) -> Place {
        let mut at = Some(key.clone());
        while let Some(key) = at {
            if let Some(place) = self.places.get(&key) {
                return place.clone();
            }
            at = key.parent();
        }
        Place::Nowhere
    }

    /// The value, where there is one.
    pub fn get(&self, key: &Key) -> Option<&Value> {
        key.steps().iter().try_fold(&self.value, |at, step| match step {
            Step::Name(name) => at.get(name),
            Step::Index(index) => at.get(index),
        })
    }

    /// Takes a value out, so that the rest can be read; tells whether there was one.
    pub fn remove(&mut self, key: &Key) -> Option<Value> {
        let (last, steps) = key.steps().split_last()?;
        let parent = steps.iter().try_fold(&mut self.value, |at, step| match step {
            Step::Name(name) => at.get_mut(name),
            Step::Index(index) => at.get_mut(index),
        })?;
        match (parent, last) {
            (Value::Object(map), Step::Name(name)) => map.remove(name),
            _ => None,
        }
    }
}

/// Reads the text of one value, as in the environment.
pub fn scalar(text: &str) -> Option<Value> {
    let node: Spanned<Node> = serde_saphyr::from_str_with_options(text, options()).ok()?;
    Some(Tree::default().take(&Key::default(), node, &|_| Place::Nowhere))
}
