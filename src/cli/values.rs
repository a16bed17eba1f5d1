//! Flag values that are more than a word.

use std::{fmt::Display, str::FromStr, time::Duration};

use clap::ValueEnum;

use crate::{domain::node, proto, wire};

/// Kind of work, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RequestType {
    /// Text completion and chat.
    Text,
    /// Image generation.
    Image,
    /// Transcription and synthesis.
    Audio,
    /// Embedding vectors.
    Embedding,
    /// Video generation.
    Video,
    /// Reordering documents.
    Rerank,
}

impl From<RequestType> for node::RequestType {
    fn from(value: RequestType) -> Self {
        match value {
            RequestType::Text => Self::Text,
            RequestType::Image => Self::Image,
            RequestType::Audio => Self::Audio,
            RequestType::Embedding => Self::Embedding,
            RequestType::Video => Self::Video,
            RequestType::Rerank => Self::Rerank,
        }
    }
}

impl RequestType {
    /// As it goes over the wire.
    pub fn to_proto(self) -> proto::RequestType {
        wire::request_type(self.into())
    }
}

/// Class of a node, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Class {
    /// For high priority and premium users.
    High,
    /// For everybody else.
    Normal,
}

impl From<Class> for node::NodeClass {
    fn from(value: Class) -> Self {
        match value {
            Class::High => Self::High,
            Class::Normal => Self::Normal,
        }
    }
}

/// `TYPE=URL`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Type of the requests.
    pub kind: RequestType,
    /// Where they go.
    pub uri: String,
}

impl FromStr for Endpoint {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (kind, uri) =
            text.split_once('=').ok_or("write `TYPE=URL`, such as `text=http://10.0.0.7:8000`")?;
        let kind = RequestType::from_str(kind, false).map_err(|_| {
            let names = node::RequestType::NAMES.map(|(_, name)| name).join(", ");
            format!("`{kind}` is no request type; known are {names}")
        })?;
        Ok(Self { kind, uri: uri.to_owned() })
    }
}

impl Endpoint {
    /// As it goes over the wire.
    pub fn to_proto(&self) -> proto::Endpoint {
        proto::Endpoint { request_type: self.kind.to_proto().into(), uri: self.uri.clone() }
    }
}

/// `NAME` or `NAME@VERSION[,VERSION…]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Model {
    /// Name, as requests spell it.
    pub name: String,
    /// Versions on offer; none means any.
    pub versions: Vec<String>,
}

impl FromStr for Model {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, versions) = text.split_once('@').unwrap_or((text, ""));
        if name.is_empty() {
            return Err("write `NAME` or `NAME@VERSION,VERSION`".into());
        }
        let versions = versions.split(',').filter(|version| !version.is_empty()).map(str::to_owned).collect();
        Ok(Self { name: name.to_owned(), versions })
    }
}

impl Model {
    /// As it goes over the wire.
    pub fn to_proto(&self) -> proto::ServedModel {
        proto::ServedModel {
            name: self.name.clone(),
            versions: self.versions.clone(),
            request_types: Vec::new(),
        }
    }
}

/// `KEY=VALUE`.
pub fn label(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("write `KEY=VALUE`")?;
    Ok((key.to_owned(), value.to_owned()))
}

/// A span of time, such as `500ms`.
pub fn duration(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text).map_err(|error| format!("{error}; write `500ms`, `2s` or `1m 30s`"))
}

/// How a span of time is shown: `12 ms`, `1.50 s`, `1h 2m 3s`.
pub fn show_duration(duration: prost_types::Duration) -> String {
    let millis = duration.seconds as f64 * 1e3 + f64::from(duration.nanos) / 1e6;
    match u64::try_from(duration.seconds) {
        Ok(seconds @ 60..) => humantime::format_duration(Duration::from_secs(seconds)).to_string(),
        _ if millis < 1000.0 => format!("{millis:.0} ms"),
        _ => format!("{:.2} s", millis / 1e3),
    }
}

/// How a value that may be absent is shown.
pub fn or_dash<T: Display>(value: Option<T>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| value.to_string())
}
