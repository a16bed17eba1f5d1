//! Mooncake's traces: how are they read?
//!
//! One JSON object a line, as published with "Mooncake: A KVCache-centric Disaggregated Architecture for LLM Serving"
//! (Qin et al., FAST '25; github.com/kvcache-ai/Mooncake, `FAST25-release/traces`):
//!
//! ```json
//! {"timestamp": 27482, "input_length": 6955, "output_length": 52, "hash_ids": [46, 47, 2353, 2354]}
//! ```
//!
//! Times are in milliseconds, blocks have 512 tokens. Who asked is not told: all rows are of tenant 0, and each is a
//! session of its own, numbered by its line. Conversations still show, in the blocks that rows share.

use serde::Deserialize;

use super::{
    Arrival, Draft, TOKENS_MAX, Trace, TraceError,
    draft::{Entry, Refused},
    lines::Lines,
    number,
};

const BLOCK_TOKENS: u32 = 512;

#[derive(Deserialize)]
struct Request {
    timestamp: f64,
    input_length: u64,
    output_length: u64,
    hash_ids: Vec<u64>,
}

/// Reads the first line and those behind it.
pub(super) fn read(first: &str, mut lines: Lines<'_>) -> Result<Trace, TraceError> {
    let mut draft = Draft::new(lines.name(), BLOCK_TOKENS);
    let mut session = 0;
    row(first, session, &mut draft).map_err(|refused| lines.refused(&refused))?;
    lines.each(|line| {
        session += 1;
        row(line, session, &mut draft)
    })?;
    lines.finish(draft)
}

fn row(line: &str, session: u32, draft: &mut Draft) -> Result<(), Refused> {
    let request = parse(line)?;
    let entry = Entry {
        arrival: Arrival::At(number::duration("timestamp", request.timestamp)?),
        tenant: 0,
        session,
        turn: 0,
        input: number::within("input_length", request.input_length, 1..=TOKENS_MAX)?,
        output: number::within("output_length", request.output_length, 0..=TOKENS_MAX)?,
    };
    draft.push(entry, request.hash_ids).map_err(|refused| match &*refused.field {
        "blocks" => Refused { field: "hash_ids".into(), ..refused },
        _ => refused,
    })
}

fn parse(line: &str) -> Result<Request, Refused> {
    let mut json = serde_json::Deserializer::from_str(line);
    let request: Result<Request, _> = serde_path_to_error::deserialize(&mut json);
    let refused = |field: String, error: &serde_json::Error| {
        // The line within the text is always the first; which one of the file is told elsewhere.
        let wrong = error.to_string().replace(" at line 1 column ", " at byte ");
        Refused { field: field.into(), read: line.to_owned(), expected: format!("a request: {wrong}") }
    };
    let request = request.map_err(|error| match error.path().to_string() {
        whole if whole == "." => refused("object".to_owned(), error.inner()),
        field => refused(field, error.inner()),
    })?;
    json.end().map_err(|error| refused("object".to_owned(), &error))?;
    Ok(request)
}

#[cfg(test)]
mod tests;
