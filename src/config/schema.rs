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

/// The schema of the configuration file, for editors and for `pointsman check --schema`.
pub fn schema() -> Value {
    Schema::of_file().0
}

/// The schema, as something to ask.
#[derive(Debug)]
pub struct Schema(Value);

impl Schema {
    /// The schema of the file, made anew.
    pub fn of_file() -> Self {
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

    /// What the key means, as a hint; what the section around it means, if the key does not tell.
    pub fn hint(&self, key: &Key) -> String {
        let mut at = Some(key.clone());
        while let Some(key) = at {
            if let (Some(Step::Name(_)), Some(schema)) = (key.steps().last(), self.at(&key))
                && let Some(text) = schema["description"].as_str()
            {
                return format!("`{key}`: {}{}", text.replace('\n', " "), default(schema));
            }
            at = key.parent();
        }
        "`pointsman check --schema` lists the keys".to_owned()
    }

    /// Every key whose name is known beforehand, sections included.
    pub fn all(&self) -> Vec<Key> {
        let mut keys = Vec::new();
        self.descend(&Key::default(), &mut keys);
        keys
    }

    fn descend(&self, section: &Key, keys: &mut Vec<Key>) {
        for name in self.keys(section) {
            let key = section.child(Step::Name(name));
            self.descend(&key, keys);
            keys.push(key);
        }
    }

    /// The keys that a section has.
    pub fn keys(&self, section: &Key) -> Vec<String> {
        self.at(section).map(names).unwrap_or_default()
    }

    /// Whether the section takes any key.
    pub fn is_open(&self, section: &Key) -> bool {
        let open = |schema: &Value| schema["additionalProperties"].is_object();
        self.at(section).is_some_and(|schema| branches(schema).any(open))
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

fn default(schema: &Value) -> String {
    match &schema["default"] {
        Value::String(text) => format!(" Default: `{text}`."),
        plain @ (Value::Bool(_) | Value::Number(_)) => format!(" Default: `{plain}`."),
        _ => String::new(),
    }
}

fn names(section: &Value) -> Vec<String> {
    let of = |schema: &Value| schema["properties"].as_object().map(|map| map.keys().cloned().collect());
    branches(section).filter_map(of).flat_map(|names: Vec<String>| names).collect()
}

/// The schema itself and the alternatives that it names.
fn branches(schema: &Value) -> impl Iterator<Item = &Value> {
    let alternatives = schema["anyOf"].as_array().map(Vec::as_slice).unwrap_or_default();
    std::iter::once(schema).chain(alternatives)
}
