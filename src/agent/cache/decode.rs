//! What does a message of the model server say?
//!
//! vLLM sends three frames: a topic, a sequence number of 8 bytes, big endian, and a `MessagePack` array of a time and a list
//! of events. An event is a map with a `type`, or, in older releases, an array that begins with it. What is unknown is
//! passed over; what is no such message at all is an error.

use rmpv::Value;
use thiserror::Error;

/// Longest message that is read, in bytes.
const BYTES_MAX: usize = 16 << 20;
/// Deepest nesting that is read.
const DEPTH_MAX: usize = 16;

/// One message.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Batch {
    /// Each is one more than that of the message before.
    pub(super) sequence: u64,
    /// In their order.
    pub(super) events: Vec<Event>,
}

/// What became of the cache.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Event {
    /// Blocks came.
    Stored(Stored),
    /// Blocks went.
    Removed(Vec<EngineBlock>),
    /// All went.
    Cleared,
}

/// A run of blocks that the engine has stored, each the next one's parent.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Stored {
    /// The block before the first; `None` where the first begins a prompt.
    pub(super) parent: Option<EngineBlock>,
    /// The blocks.
    pub(super) blocks: Vec<EngineBlock>,
    /// Their tokens, all of the same number.
    pub(super) tokens: Vec<u32>,
    /// The adapter that computed them.
    pub(super) adapter: Option<String>,
    /// What tells each block from others of the same tokens, beside the adapter.
    pub(super) keys: Vec<Vec<ExtraKey>>,
}

/// The engine's name of a block.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum EngineBlock {
    /// As a number.
    Number(u64),
    /// As bytes.
    Bytes(Box<[u8]>),
}

/// What tells a block from others of the same tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ExtraKey {
    /// A salt, or the name of an adapter.
    Text(String),
    /// Anything else: an image, say.
    Other,
}

/// Why a message cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(super) enum NoBatch {
    /// Not three frames with a sequence number.
    #[error(
        "expected the frames topic, sequence number and events; is this the model server's event endpoint?"
    )]
    Frames,
    /// Too long.
    #[error("the message is longer than {BYTES_MAX} bytes")]
    TooLong,
    /// No list of events.
    #[error("expected a MessagePack array of a time and events")]
    Payload,
}

/// Reads the frames of one message.
pub(super) fn decode<F: AsRef<[u8]>>(frames: &[F]) -> Result<Batch, NoBatch> {
    let [.., sequence, payload] = frames else { return Err(NoBatch::Frames) };
    let sequence = sequence.as_ref().try_into().map(u64::from_be_bytes).map_err(|_| NoBatch::Frames)?;
    let mut payload = payload.as_ref();
    if payload.len() > BYTES_MAX {
        return Err(NoBatch::TooLong);
    }
    let value =
        rmpv::decode::read_value_with_max_depth(&mut payload, DEPTH_MAX).map_err(|_| NoBatch::Payload)?;
    let events = value.as_array().and_then(|parts| parts.get(1)?.as_array()).ok_or(NoBatch::Payload)?;
    Ok(Batch { sequence, events: events.iter().filter_map(event).collect() })
}

/// `None` for events that are not known, or of another memory than the GPU's.
fn event(value: &Value) -> Option<Event> {
    let fields = Fields::of(value)?;
    if fields.get("medium", 6).and_then(Value::as_str).is_some_and(|medium| medium != "GPU") {
        return None;
    }
    // Hybrid models tell of each block once for each group of layers.
    if fields.named("group_idx").and_then(Value::as_u64).is_some_and(|group| group > 0) {
        return None;
    }
    match fields.kind {
        "BlockStored" => Some(Event::Stored(stored(&fields)?)),
        "BlockRemoved" => Some(Event::Removed(blocks(fields.get("block_hashes", 1)?)?)),
        "AllBlocksCleared" => Some(Event::Cleared),
        _ => None,
    }
}

fn stored(fields: &Fields<'_>) -> Option<Stored> {
    let blocks = blocks(fields.get("block_hashes", 1)?)?;
    let parent = fields.get("parent_block_hash", 2).filter(|parent| !parent.is_nil());
    let parent = parent.map(|parent| block(parent).ok_or(())).transpose().ok()?;
    let tokens = fields.get("token_ids", 3)?.as_array()?.iter();
    let tokens: Vec<u32> = tokens.map(|token| u32::try_from(token.as_u64()?).ok()).collect::<Option<_>>()?;
    let lora_name = fields.named("lora_name").and_then(Value::as_str).map(str::to_owned);
    // Releases that tell only a number cannot say which adapter it is.
    let lora_id = fields.get("lora_id", 5).filter(|id| !id.is_nil() && lora_name.is_none());
    let keys = fields.named("extra_keys").and_then(Value::as_array);
    let mut keys: Vec<_> = keys.map(|keys| keys.iter().map(extra_keys).collect()).unwrap_or_default();
    keys.resize(blocks.len(), Vec::new());
    if lora_id.is_some() {
        for keys in &mut keys {
            keys.push(ExtraKey::Other);
        }
    }
    let fits = !blocks.is_empty() && !tokens.is_empty() && tokens.len().is_multiple_of(blocks.len());
    fits.then_some(Stored { parent, blocks, tokens, adapter: lora_name, keys })
}

fn extra_keys(keys: &Value) -> Vec<ExtraKey> {
    let key = |key: &Value| key.as_str().map_or(ExtraKey::Other, |text| ExtraKey::Text(text.to_owned()));
    keys.as_array().map(|keys| keys.iter().map(key).collect()).unwrap_or_default()
}

fn blocks(value: &Value) -> Option<Vec<EngineBlock>> {
    value.as_array()?.iter().map(block).collect()
}

fn block(value: &Value) -> Option<EngineBlock> {
    match value {
        Value::Binary(bytes) => Some(EngineBlock::Bytes(bytes.as_slice().into())),
        number => {
            number.as_u64().or_else(|| number.as_i64().map(i64::cast_unsigned)).map(EngineBlock::Number)
        }
    }
}

/// The fields of an event, by name or by place.
struct Fields<'a> {
    kind: &'a str,
    value: &'a Value,
}

impl<'a> Fields<'a> {
    fn of(value: &'a Value) -> Option<Self> {
        let kind = match value {
            Value::Map(pairs) => named(pairs, "type")?.as_str()?,
            Value::Array(parts) => parts.first()?.as_str()?,
            _ => return None,
        };
        Some(Self { kind, value })
    }

    /// A field of a map by its name, of an array by its place.
    fn get(&self, name: &str, place: usize) -> Option<&'a Value> {
        match self.value {
            Value::Array(parts) => parts.get(place),
            _ => self.named(name),
        }
    }

    /// A field that only maps have.
    fn named(&self, name: &str) -> Option<&'a Value> {
        match self.value {
            Value::Map(pairs) => named(pairs, name),
            _ => None,
        }
    }
}

fn named<'a>(pairs: &'a [(Value, Value)], name: &str) -> Option<&'a Value> {
    pairs.iter().find(|(key, _)| key.as_str() == Some(name)).map(|(_, value)| value)
}

#[cfg(test)]
mod tests;
