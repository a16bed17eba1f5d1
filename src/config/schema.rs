//! Which keys are there, and what does each mean?
//!
//! The JSON schema is made from the same declarations that the file is read by; it goes to editors, and hints in
//! errors are quoted from it.

use schemars::generate::SchemaSettings;
use serde_json::Value;

use super::{
    key::{Key, Step},
    raw::Raw,
};

/// The schema of the configuration file, for editors and for `pointsman config schema`.
pub fn schema() -> Value {
    Schema::new().0
}

/// The schema, as something to ask.
#[derive(Debug)]
pub struct Schema(Value);

impl Schema {
    /// Makes the schema.
    pub fn new() -> Self {
        let mut settings = SchemaSettings::draft2020_12();
        settings.inline_subschemas = true;
        let root = settings.into_generator().into_root_schema_for::<Raw>();
        let mut root = root.to_value();
        if let Some(root) = root.as_object_mut() {
            root.insert("title".into(), "Pointsman configuration".into());
        }
        Self(root)
    }

    /// Whether there is such a key.
    pub fn knows(&self, key: &Key) -> bool {
        self.at(key).is_some()
    }

    /// Whether the key takes text and nothing else, so that `1` means the text `1`.
    pub fn is_text(&self, key: &Key) -> bool {
        let takes = |schema: &Value| schema["type"] == "string" || schema["type"][0] == "string";
        self.at(key).is_some_and(takes)
    }

    /// What the key means, as a hint; the nearest section that says something, if it does not.
    pub fn hint(&self, key: &Key) -> String {
        let mut at = Some(key.clone());
        while let Some(key) = at {
            let described = self.at(&key).and_then(|schema| schema["description"].as_str());
            if let Some(text) = described.filter(|_| !key.steps().is_empty()) {
                return format!("`{key}` is: {}", text.replace('\n', " "));
            }
            at = key.parent();
        }
        "`pointsman config schema` lists the keys".to_owned()
    }

    /// The known key closest to one that is not known, in the section where it stands.
    pub fn nearest(&self, key: &Key) -> Option<Key> {
        let parent = key.parent()?;
        let Some(section) = self.at(&parent) else { return self.nearest(&parent) };
        let Some(Step::Name(wrong)) = key.steps().last() else { return None };
        let known = self.names(section);
        let near = closest(wrong, known.iter().map(String::as_str))?;
        Some(parent.child(Step::Name(near.to_owned())))
    }

    /// The keys that a section has.
    pub fn keys(&self, section: &Key) -> Vec<String> {
        self.at(section).map(|schema| self.names(schema)).unwrap_or_default()
    }

    /// Whether the section takes any key.
    pub fn is_open(&self, section: &Key) -> bool {
        let open = |schema: &Value| schema["additionalProperties"].is_object();
        self.at(section).is_some_and(|schema| branches(schema).any(open))
    }

    fn names(&self, section: &Value) -> Vec<String> {
        let of = |schema: &Value| schema["properties"].as_object().map(|map| map.keys().cloned().collect());
        branches(section).filter_map(of).flat_map(|names: Vec<String>| names).collect()
    }

    fn at(&self, key: &Key) -> Option<&Value> {
        key.steps().iter().try_fold(&self.0, |at, step| {
            branches(at).find_map(|schema| match step {
                Step::Index(_) => schema.get("items"),
                Step::Name(name) => schema
                    .get("properties")
                    .and_then(|known| known.get(name))
                    .or_else(|| schema.get("additionalProperties").filter(|any| any.is_object())),
            })
        })
    }
}

/// The schema itself and the alternatives that it names.
fn branches(schema: &Value) -> impl Iterator<Item = &Value> {
    let alternatives = schema["anyOf"].as_array().map(Vec::as_slice).unwrap_or_default();
    std::iter::once(schema).chain(alternatives)
}

/// The word that was probably meant.
pub fn closest<'a>(wrong: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let scored = known.map(|word| (strsim::jaro_winkler(wrong, word), word));
    // Below this the word is a different one, and the hint would mislead.
    let near = scored.filter(|(score, _)| *score > 0.75);
    near.max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, word)| word)
}
