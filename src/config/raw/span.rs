//! How is a span of time written? As a number with its unit, such as `500ms`.

use std::{borrow::Cow, fmt, time::Duration};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Visitor};

/// A span of time as the file writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(pub Duration);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        humantime::format_duration(self.0).fmt(f)
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Text)
    }
}

struct Text;

const HINT: &str = "write a number with its unit, such as `500ms`, `10s`, `2m` or `1h`";

impl Visitor<'_> for Text {
    type Value = Span;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a span of time; hint: {HINT}")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Span, E> {
        let refuse = |_| E::custom(format!("`{text}` is no span of time; hint: {HINT}"));
        humantime::parse_duration(text).map(Span).map_err(refuse)
    }
}

impl JsonSchema for Span {
    fn schema_name() -> Cow<'static, str> {
        "Span".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "examples": ["500ms", "10s", "2m", "1h"] })
    }
}

/// Refuses spans outside the range, ends included.
pub fn within(min: Duration, max: Duration) -> impl FnOnce(&Span, &()) -> garde::Result {
    move |span, ()| {
        if span.0 < min {
            return Err(garde::Error::new(format!("shorter than {}", Span(min))));
        }
        if span.0 > max {
            return Err(garde::Error::new(format!("longer than {}", Span(max))));
        }
        Ok(())
    }
}

/// One millisecond: the shortest span that a timer keeps.
pub const TICK: Duration = Duration::from_millis(1);
/// One day: the longest span that anything here waits.
pub const DAY: Duration = Duration::from_hours(24);
