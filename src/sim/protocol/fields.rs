//! What a line says, field by field.

use serde_json::{Map, Value};

/// Keys that may name the kind of a message.
const KINDS: [&str; 4] = ["op", "type", "kind", "msg"];

/// Fields of a message, or of a part of it.
#[derive(Debug)]
pub(super) struct Fields(Map<String, Value>);

/// Why a line was not taken.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) field: Option<String>,
    pub(super) problem: String,
}

impl Refused {
    pub(super) fn field(field: &str, problem: impl Into<String>) -> Self {
        Self { field: Some(field.to_owned()), problem: problem.into() }
    }

    /// The same of a part of the message.
    pub(super) fn within(self, at: &str) -> Self {
        Self { field: self.field.map(|field| format!("{at}{field}")), ..self }
    }
}

impl Fields {
    /// The kind of a message and its fields.
    pub(super) fn parse(line: &str) -> Result<(String, Self), Refused> {
        let whole = |problem: String| Refused { field: None, problem };
        let value = serde_json::from_str(line).map_err(|bad| whole(format!("the line is no JSON: {bad}")))?;
        let Value::Object(mut fields) = value else {
            return Err(whole("the line must be one JSON object".to_owned()));
        };
        if let Some(key) = KINDS.into_iter().find(|key| fields.get(*key).is_some_and(Value::is_string)) {
            let kind =
                fields.remove(key).and_then(|kind| kind.as_str().map(str::to_owned)).unwrap_or_default();
            return Ok((kind, Self(fields)));
        }
        if fields.len() == 1
            && let Some((kind, Value::Object(inner))) = fields.into_iter().next()
        {
            return Ok((kind, Self(inner)));
        }
        Err(Refused::field("op", "is required: what the line wants, such as `pick`"))
    }

    /// A field that is told.
    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    pub(super) fn required(&self, name: &str) -> Result<&Value, Refused> {
        self.get(name).ok_or_else(|| Refused::field(name, "is required"))
    }

    /// A whole number.
    pub(super) fn whole(&self, name: &str) -> Result<Option<u64>, Refused> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let number = value.as_u64().or_else(|| value.as_f64().and_then(rounded));
        number
            .map(Some)
            .ok_or_else(|| Refused::field(name, format!("must be a whole number from 0 on, got {value}")))
    }

    /// A number from 0 to `most`.
    pub(super) fn within(&self, name: &str, most: f64) -> Result<Option<f64>, Refused> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let number = value.as_f64().filter(|number| (0.0..=most).contains(number));
        number
            .map(Some)
            .ok_or_else(|| Refused::field(name, format!("must be a number from 0 to {most}, got {value}")))
    }

    /// A list of objects.
    pub(super) fn list(&self, name: &str) -> Result<Vec<Self>, Refused> {
        let bad = || Refused::field(name, "must be a list of objects");
        let values = self.required(name)?.as_array().ok_or_else(bad)?;
        values.iter().map(|value| value.as_object().cloned().map(Self).ok_or_else(bad)).collect()
    }

    /// A list of numbers, at most so many; none where it is absent.
    pub(super) fn numbers(&self, name: &str, most: usize) -> Result<Vec<u64>, Refused> {
        let values = self.names(name)?;
        let bad =
            |value: &Value| Refused::field(name, format!("must hold whole numbers of 64 bits, got {value}"));
        // What lies past the bound is not looked for: a longer prompt is known by its beginning.
        values.iter().take(most).map(|value| value.as_u64().ok_or_else(|| bad(value))).collect()
    }

    /// A list of anything; none where it is absent.
    pub(super) fn names(&self, name: &str) -> Result<Vec<Value>, Refused> {
        let Some(value) = self.get(name) else { return Ok(Vec::new()) };
        value.as_array().cloned().ok_or_else(|| Refused::field(name, "must be a list"))
    }
}

/// A name: a word, or a whole number.
pub(super) fn name<T, E: std::fmt::Display>(
    told: &Value,
    field: &str,
    parse: impl Fn(&str) -> Result<T, E>,
) -> Result<T, Refused> {
    let text = match told {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        other => return Err(Refused::field(field, format!("must be a word or a whole number, got {other}"))),
    };
    parse(&text).map_err(|bad| Refused::field(field, bad.to_string()))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "only what is whole and fits")]
fn rounded(number: f64) -> Option<u64> {
    (number.fract() == 0.0 && (0.0..9.0e15).contains(&number)).then_some(number as u64)
}
