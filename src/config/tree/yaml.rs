//! How is the text taken apart, and what is said when it is no YAML?

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{Error as _, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Number, Value};
use serde_saphyr::Spanned;

/// A configuration is small: what is larger is an accident or an attack, such as aliases that double each other.
pub(super) fn options() -> serde_saphyr::Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: 32,
            max_nodes: 100_000,
            max_events: 300_000,
            max_aliases: 1_000,
        },
        with_snippet: false,
    }
}

/// One value with the places of those below it.
#[derive(Debug)]
pub(super) enum Node {
    Plain(Value),
    List(Vec<Spanned<Node>>),
    Map(Vec<(Spanned<String>, Spanned<Node>)>),
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyNode)
    }
}

struct AnyNode;

impl<'de> Visitor<'de> for AnyNode {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Plain(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Plain(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Plain(value.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Node, E> {
        let number = Number::from_f64(value).ok_or_else(|| E::custom("numbers must be finite"))?;
        Ok(Node::Plain(Value::Number(number)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Plain(value.into()))
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Plain(Value::Null))
    }

    fn visit_none<E: serde::de::Error>(self) -> Result<Node, E> {
        self.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        Node::deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Node, A::Error> {
        let mut nodes = Vec::new();
        while let Some(node) = list.next_element()? {
            nodes.push(node);
        }
        Ok(Node::List(nodes))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut entries: Vec<(Spanned<String>, Spanned<Node>)> = Vec::new();
        while let Some((name, node)) = map.next_entry::<Spanned<String>, Spanned<Node>>()? {
            if entries.iter().any(|(known, _)| known.value == name.value) {
                return Err(A::Error::custom(format!("key `{}` stands twice", name.value)));
            }
            entries.push((name, node));
        }
        Ok(Node::Map(entries))
    }
}

/// What the parser says, without the place, which is told already, and what to do.
pub(super) fn explain(error: &serde_saphyr::Error) -> (String, &'static str) {
    let text = error.render_with_formatter(&serde_saphyr::UserMessageFormatter);
    let text = text.lines().next().unwrap_or("cannot be read");
    let what = [" at line ", ": limits breached", " (defined "]
        .iter()
        .fold(text, |text, end| text.split_once(end).map_or(text, |(before, _)| before));
    let hint = match error.without_snippet() {
        serde_saphyr::Error::DuplicateMappingKey { .. } => "keep one of the two",
        serde_saphyr::Error::NonFiniteFloat { .. } => "write a finite number",
        serde_saphyr::Error::MultipleDocuments { .. } => "keep what stands before `---`",
        serde_saphyr::Error::Budget { .. } | serde_saphyr::Error::AliasError { .. } => {
            "write values out instead of repeating them by aliases, and nest them less"
        }
        _ => "check the indentation, colons, brackets and quotes on this line and the one before",
    };
    (what.to_owned(), hint)
}
