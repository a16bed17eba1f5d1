//! What must hold for rows to be a trace?
//!
//! Readers check the fields, each by itself; here is what concerns more than one: how many there are, that a prompt
//! has no more blocks than its tokens fill, and that a follow-up has a turn to follow. The generator comes through
//! here too.

use std::{borrow::Cow, collections::HashMap, ops::Range, time::Duration};

use super::{Arrival, Row, Trace};

/// Most tokens of a prompt, and of an answer.
pub const TOKENS_MAX: u32 = 100_000_000;
/// Most rows of a trace.
pub const ROWS_MAX: usize = 10_000_000;
/// Most blocks of all rows together: 800 MB.
pub const BLOCKS_MAX: usize = 100_000_000;
/// Latest arrival and longest pause: about 116 days.
pub const TIME_MAX: Duration = Duration::from_secs(10_000_000);

/// A trace that is being put together.
#[derive(Debug)]
pub struct Draft {
    trace: Trace,
    rows_max: usize,
    blocks_max: usize,
    /// The last turn of each conversation, by tenant and session.
    turns: HashMap<(u32, u32), Last>,
    /// What the rows are sorted by.
    keys: Vec<Duration>,
}

/// How far a conversation has got.
#[derive(Debug, Clone, Copy)]
struct Last {
    turn: u32,
    /// When it last came at a time of its own.
    at: Duration,
}

/// A row that is handed in: as `Row`, but for its blocks.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// When it comes, within `TIME_MAX`.
    pub arrival: Arrival,
    /// Whose it is.
    pub tenant: u32,
    /// Which conversation of the tenant it belongs to.
    pub session: u32,
    /// Number within the conversation, from 0.
    pub turn: u32,
    /// Tokens of the prompt, from 1 to `TOKENS_MAX`.
    pub input: u32,
    /// Tokens of the answer, up to `TOKENS_MAX`.
    pub output: u32,
}

/// Why a row cannot stand in the trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// What it is about: a column, or `rows` for how many there are.
    pub field: Cow<'static, str>,
    /// What it says.
    pub read: String,
    /// What was expected.
    pub expected: String,
}

impl Draft {
    /// A trace without rows, of prompts in blocks of so many tokens (0 counts as 1).
    pub fn new(name: &str, block_tokens: u32) -> Self {
        Self::within(name, block_tokens, ROWS_MAX, BLOCKS_MAX)
    }

    /// The same with other bounds.
    pub(super) fn within(name: &str, block_tokens: u32, rows_max: usize, blocks_max: usize) -> Self {
        let block_tokens = block_tokens.max(1);
        let trace = Trace { name: name.to_owned(), block_tokens, rows: Vec::new(), blocks: Vec::new() };
        Self { trace, rows_max, blocks_max, turns: HashMap::new(), keys: Vec::new() }
    }

    /// Adds a row and the numbers of its blocks. A refused row leaves the draft as it was.
    pub fn push(&mut self, entry: Entry, blocks: impl IntoIterator<Item = u64>) -> Result<(), Refused> {
        if self.trace.rows.len() >= self.rows_max {
            let expected = format!("at most {} rows: cut the file into several", self.rows_max);
            return Err(Refused { field: "rows".into(), read: "one more row".to_owned(), expected });
        }
        let at = self.comes_at(&entry)?;
        let blocks = self.keep(&entry, blocks)?;
        let Entry { arrival, tenant, session, turn, input, output } = entry;
        self.turns.insert((tenant, session), Last { turn, at });
        self.keys.push(at);
        self.trace.rows.push(Row { arrival, tenant, session, turn, input, output, blocks });
        Ok(())
    }

    /// Counts the time from the first arrival on.
    pub fn starting_at_zero(mut self) -> Self {
        let first = self.keys.iter().min().copied().unwrap_or_default();
        for (key, row) in self.keys.iter_mut().zip(&mut self.trace.rows) {
            *key -= first;
            if let Arrival::At(at) = &mut row.arrival {
                *at -= first;
            }
        }
        self
    }

    /// The trace, with its rows in order; none if there are no rows.
    pub fn finish(self) -> Option<Trace> {
        let Self { mut trace, keys, .. } = self;
        if !keys.is_sorted() {
            let mut rows: Vec<_> = keys.into_iter().zip(trace.rows).collect();
            // Stable: a follow-up has the key of the turn it follows, and so stays behind it.
            rows.sort_by_key(|(key, _)| *key);
            trace.rows = rows.into_iter().map(|(_, row)| row).collect();
        }
        (!trace.rows.is_empty()).then_some(trace)
    }

    fn comes_at(&self, entry: &Entry) -> Result<Duration, Refused> {
        let last = self.turns.get(&(entry.tenant, entry.session));
        match (entry.arrival, last) {
            (Arrival::At(at), _) => Ok(at),
            (Arrival::After { .. }, Some(last)) if last.turn.checked_add(1) == Some(entry.turn) => {
                Ok(last.at)
            }
            (Arrival::After { .. }, last) => {
                let Entry { tenant, session, turn, .. } = entry;
                let before = match last {
                    Some(last) => format!("{} after turn {}", u64::from(last.turn) + 1, last.turn),
                    None => "a row of that session before its follow-up".to_owned(),
                };
                let expected = format!("{before}, in session {session} of tenant {tenant}");
                Err(Refused { field: "turn".into(), read: turn.to_string(), expected })
            }
        }
    }

    /// Takes the blocks in, and says where they are.
    fn keep(&mut self, entry: &Entry, blocks: impl IntoIterator<Item = u64>) -> Result<Range<u32>, Refused> {
        let kept = &mut self.trace.blocks;
        let start = kept.len();
        let full = entry.input.div_ceil(self.trace.block_tokens) as usize;
        let room = self.blocks_max - start;
        // One more than may be shows that there are too many, without taking them all in.
        kept.extend(blocks.into_iter().take(full.min(room) + 1));
        let count = kept.len() - start;
        if count <= full.min(room) {
            let index = |at: usize| u32::try_from(at).expect("`BLOCKS_MAX` is below 2^32");
            return Ok(index(start)..index(kept.len()));
        }
        kept.truncate(start);
        let read = format!("{count} blocks or more");
        let expected = if full <= room {
            let (input, block) = (entry.input, self.trace.block_tokens);
            format!("at most {full}: {input} tokens in blocks of {block}")
        } else {
            format!("at most {} blocks in all rows together: cut the file into several", self.blocks_max)
        };
        Err(Refused { field: "blocks".into(), read, expected })
    }
}

/// For each row, the row that follows it.
pub(super) fn followers(rows: &[Row]) -> Vec<Option<u32>> {
    let mut followers = vec![None; rows.len()];
    let mut last = HashMap::new();
    for (at, row) in (0_u32..).zip(rows) {
        let before = last.insert((row.tenant, row.session), at);
        if let (Arrival::After { .. }, Some(before)) = (row.arrival, before) {
            followers[before as usize] = Some(at);
        }
    }
    followers
}
