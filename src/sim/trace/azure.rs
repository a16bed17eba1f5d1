//! Azure's traces of model inference: how are they read?
//!
//! CSV of three columns, as published with "Splitwise" (Patel et al., ISCA '24; the traces of 2023) and `DynamoLLM`
//! (Stojkovic et al., HPCA '25; those of 2024) in github.com/Azure/AzurePublicDataset:
//!
//! ```text
//! TIMESTAMP,ContextTokens,GeneratedTokens
//! 2023-11-16 18:15:46.6805900,374,44
//! 2024-05-12 00:00:00.003948+00:00,2162,5
//! ```
//!
//! Times are of the day, in UTC; the first is taken as the start. What prompts have in common is not told: rows have
//! no blocks, and each is a session of its own.

use std::time::{Duration, UNIX_EPOCH};

use super::{
    Arrival, Draft, TIME_MAX, TOKENS_MAX, Trace, TraceError,
    draft::{Entry, Refused},
    lines::Lines,
    number,
};

/// The first line.
pub(super) const COLUMNS: &str = "TIMESTAMP,ContextTokens,GeneratedTokens";
/// Blocks are not told; what this size is does not matter.
const BLOCK_TOKENS: u32 = 512;

/// Reads the rows behind the first line.
pub(super) fn read(mut lines: Lines<'_>) -> Result<Trace, TraceError> {
    let mut draft = Draft::new(lines.name(), BLOCK_TOKENS);
    let mut first = None;
    let mut sessions = 0..;
    lines.each(|line| {
        let mut columns = line.split(',');
        let (Some(time), Some(input), Some(output), None) =
            (columns.next(), columns.next(), columns.next(), columns.next())
        else {
            let expected = format!("`{COLUMNS}`");
            return Err(Refused { field: "columns".into(), read: line.to_owned(), expected });
        };
        let at = moment(time)?;
        near(*first.get_or_insert(at), at, time)?;
        let entry = Entry {
            arrival: Arrival::At(at),
            tenant: 0,
            session: sessions.next().expect("there are fewer rows than numbers"),
            turn: 0,
            input: number::whole("ContextTokens", input, 1..=TOKENS_MAX)?,
            output: number::whole("GeneratedTokens", output, 0..=TOKENS_MAX)?,
        };
        draft.push(entry, [])
    })?;
    lines.finish(draft.starting_at_zero())
}

/// Time since 1970.
fn moment(text: &str) -> Result<Duration, Refused> {
    let utc = text.strip_suffix("+00:00").unwrap_or(text);
    let time = humantime::parse_rfc3339_weak(utc).ok().filter(|_| !utc.contains('+'));
    let since = time.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    since.ok_or_else(|| wrong(text, "a time in UTC such as `2023-11-16 18:15:46.6805900`"))
}

/// Refuses what lies too far from the first row.
fn near(first: Duration, at: Duration, text: &str) -> Result<(), Refused> {
    if first.abs_diff(at) <= TIME_MAX / 2 {
        return Ok(());
    }
    Err(wrong(text, &format!("a time within {} days of the first row", TIME_MAX.as_secs() / 2 / 86_400)))
}

fn wrong(text: &str, expected: &str) -> Refused {
    Refused { field: "TIMESTAMP".into(), read: text.to_owned(), expected: expected.to_owned() }
}

#[cfg(test)]
mod tests;
