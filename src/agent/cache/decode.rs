//! What does a message of the model server say?
//!
//! vLLM sends three frames: a topic, a sequence number of 8 bytes, big endian, and a `MessagePack` batch of events: a map, or,
//! in older releases, an array of a time and the events. An event is a map with a `type`, or, in older releases, an array
//! that begins with it. What is unknown is passed over; what is no such message at all is an error.

use rmpv::Value;
use thiserror::Error;

/// Longest message that is read, in bytes: what one step of an engine stores is some thousand tokens of 5 bytes. Read, each of
/// its bytes can become a value of 32.
const BYTES_MAX: usize = 2 << 20;
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
    #[error("expected a MessagePack batch with a list of events")]
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
    let events = field(&value, "events", 1).and_then(Value::as_array).ok_or(NoBatch::Payload)?;
    Ok(Batch { sequence, events: events.iter().filter_map(event).collect() })
}

/// `None` for events that are not known, or of another memory than the GPU's.
fn event(value: &Value) -> Option<Event> {
    match field(value, "type", 0)?.as_str()? {
        "BlockStored" if counts(value, 6, 9) => Some(Event::Stored(stored(value)?)),
        "BlockRemoved" if counts(value, 2, 3) => Some(Event::Removed(removed(value)?)),
        "AllBlocksCleared" => Some(Event::Cleared),
        _ => None,
    }
}

/// Whether it is of the GPU's memory, and of the first group of layers: hybrid models tell of each block once for each group.
fn counts(event: &Value, medium: usize, group: usize) -> bool {
    let elsewhere = field(event, "medium", medium).and_then(Value::as_str).is_some_and(|name| name != "GPU");
    let again = field(event, "group_idx", group).and_then(Value::as_u64).is_some_and(|group| group > 0);
    !elsewhere && !again
}

fn stored(event: &Value) -> Option<Stored> {
    let blocks = blocks(field(event, "block_hashes", 1)?)?;
    let parent = field(event, "parent_block_hash", 2).filter(|parent| !parent.is_nil());
    let parent = parent.map(|parent| block(parent).ok_or(())).transpose().ok()?;
    let tokens = field(event, "token_ids", 3)?.as_array()?.iter();
    let tokens: Vec<u32> = tokens.map(|token| u32::try_from(token.as_u64()?).ok()).collect::<Option<_>>()?;
    let adapter = field(event, "lora_name", 7).and_then(Value::as_str).map(str::to_owned);
    let keys = field(event, "extra_keys", 8).and_then(Value::as_array);
    let mut keys: Vec<_> = keys.map(|keys| keys.iter().map(extra_keys).collect()).unwrap_or_default();
    keys.resize(blocks.len(), Vec::new());
    // Releases that tell only a number cannot say which adapter it is.
    if adapter.is_none() && field(event, "lora_id", 5).is_some_and(|id| !id.is_nil()) {
        for keys in &mut keys {
            keys.push(ExtraKey::Other);
        }
    }
    let fits = !blocks.is_empty() && !tokens.is_empty() && tokens.len().is_multiple_of(blocks.len());
    fits.then_some(Stored { parent, blocks, tokens, adapter, keys })
}

/// The blocks that are gone: not those of which the engine has copies, where it says so.
fn removed(event: &Value) -> Option<Vec<EngineBlock>> {
    let mut blocks = blocks(field(event, "block_hashes", 1)?)?;
    if let Some(copies) = field(event, "remaining_copy_counts", 4).and_then(Value::as_array) {
        let mut copies = copies.iter();
        blocks.retain(|_| copies.next().and_then(Value::as_u64).is_none_or(|copies| copies == 0));
    }
    Some(blocks)
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

/// A field of a map by its name, of an array by its place.
fn field<'a>(value: &'a Value, name: &str, place: usize) -> Option<&'a Value> {
    match value {
        Value::Map(pairs) => pairs.iter().find(|(key, _)| key.as_str() == Some(name)).map(|(_, value)| value),
        Value::Array(parts) => parts.get(place),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
