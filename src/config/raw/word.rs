//! How is a choice written? As one of its words, such as `random`.

use std::{borrow::Cow, fmt, marker::PhantomData};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Visitor};

use crate::{
    config::{Combine, LogFormat, Runtime, nearest::word_hint, preset::Preset},
    domain::{
        limit::Per,
        node::{NodeClass, RequestType},
        policy::{Balance, Refusal, Spill},
        request::Tier,
    },
};

/// A choice, each written as one word.
pub trait Choice: Copy + PartialEq + 'static {
    /// What is chosen, for messages and the schema.
    const TITLE: &'static str;

    /// Every choice and its word.
    fn words() -> Vec<(Self, &'static str)>;
}

/// A choice as the file writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Word<T>(pub T);

fn texts<T: Choice>() -> Vec<&'static str> {
    T::words().into_iter().map(|(_, text)| text).collect()
}

impl<T: Choice> Serialize for Word<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let word = T::words().into_iter().find(|(choice, _)| *choice == self.0);
        serializer.serialize_str(word.map_or("", |(_, text)| text))
    }
}

impl<'de, T: Choice> Deserialize<'de> for Word<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Text(PhantomData))
    }
}

struct Text<T>(PhantomData<T>);

impl<T: Choice> Visitor<'_> for Text<T> {
    type Value = Word<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a {}; hint: choose one of `{}`", T::TITLE, texts::<T>().join("`, `"))
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Word<T>, E> {
        let known = T::words().into_iter().find(|(_, word)| *word == text);
        known.map(|(choice, _)| Word(choice)).ok_or_else(|| {
            let hint = word_hint(text, &texts::<T>());
            E::custom(format!("`{text}` is no {}; hint: {hint}", T::TITLE))
        })
    }
}

impl<T: Choice> JsonSchema for Word<T> {
    fn schema_name() -> Cow<'static, str> {
        T::TITLE.into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "enum": texts::<T>() })
    }
}

impl Choice for Balance {
    const TITLE: &'static str = "balance policy";

    fn words() -> Vec<(Self, &'static str)> {
        Self::NAMES.to_vec()
    }
}

impl Choice for Spill {
    const TITLE: &'static str = "spill condition";

    fn words() -> Vec<(Self, &'static str)> {
        Self::NAMES.to_vec()
    }
}

impl Choice for Refusal {
    const TITLE: &'static str = "refusal of late requests";

    fn words() -> Vec<(Self, &'static str)> {
        Self::NAMES.to_vec()
    }
}

impl Choice for RequestType {
    const TITLE: &'static str = "request type";

    fn words() -> Vec<(Self, &'static str)> {
        Self::NAMES.to_vec()
    }
}

impl Choice for NodeClass {
    const TITLE: &'static str = "node class";

    fn words() -> Vec<(Self, &'static str)> {
        [Self::High, Self::Normal].map(|class| (class, class.name())).to_vec()
    }
}

impl Choice for Tier {
    const TITLE: &'static str = "tier";

    fn words() -> Vec<(Self, &'static str)> {
        vec![(Self::Premium, "premium"), (Self::Free, "free")]
    }
}

impl Choice for Per {
    const TITLE: &'static str = "subject of a limit";

    fn words() -> Vec<(Self, &'static str)> {
        Self::NAMES.to_vec()
    }
}

impl Choice for LogFormat {
    const TITLE: &'static str = "log format";

    fn words() -> Vec<(Self, &'static str)> {
        vec![(Self::Text, "text"), (Self::Json, "json")]
    }
}

impl Choice for Runtime {
    const TITLE: &'static str = "runtime";

    fn words() -> Vec<(Self, &'static str)> {
        vec![(Self::PerCore, "per_core"), (Self::Shared, "shared")]
    }
}

impl Choice for Combine {
    const TITLE: &'static str = "way to combine samples";

    fn words() -> Vec<(Self, &'static str)> {
        vec![(Self::Sum, "sum"), (Self::Max, "max"), (Self::Mean, "mean")]
    }
}

impl Choice for Preset {
    const TITLE: &'static str = "engine preset";

    fn words() -> Vec<(Self, &'static str)> {
        Self::NAMES.to_vec()
    }
}
