//! Which requests came, when, how long were they, and what had their prompts in common?
//!
//! A trace is one row a request, read from a file or drawn from published statistics (`generate`). Three formats
//! are known by their content, plain or gzip'ed: our own (`rows`), Mooncake's (`mooncake`) and Azure's (`azure`).
//! A file with anything wrong in it gives an error that says where, and no trace.
//!
//! Rows stand in the order of their arrival. Those of a file that are out of order are sorted; equal times keep the
//! order of the file, and a follow-up turn stays behind the turn it follows.

mod azure;
mod draft;
mod error;
mod generate;
mod lines;
mod mooncake;
mod number;
mod rows;
mod split;

use std::{
    fs::File,
    io::{BufRead, BufReader},
    ops::Range,
    path::Path,
    time::Duration,
};

use self::lines::Lines;
pub use self::{
    draft::{BLOCKS_MAX, Draft, ROWS_MAX, TIME_MAX, TOKENS_MAX},
    error::TraceError,
    generate::Workload,
};

/// Endings of a file's name that are not part of the trace's name, the last first.
const ENDINGS: [&str; 4] = [".gz", ".tsv", ".jsonl", ".csv"];

/// The requests of a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    /// What people call it: the name of the file, or of the workload it was drawn from.
    pub name: String,
    /// Tokens of a block of a prompt.
    pub block_tokens: u32,
    /// The requests, in the order of their arrival; at least one.
    pub rows: Vec<Row>,
    /// Block numbers of all rows; one vector, because a vector for each of a million rows is slow to make.
    blocks: Vec<u64>,
}

/// A request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// When it comes.
    pub arrival: Arrival,
    /// Whose it is.
    pub tenant: u32,
    /// Which conversation of the tenant it belongs to.
    pub session: u32,
    /// Number within the conversation, from 0.
    pub turn: u32,
    /// Tokens of the prompt, at least 1.
    pub input: u32,
    /// Tokens of the answer; 0 where the request was given up.
    pub output: u32,
    /// Where in the trace's `blocks` its own are.
    blocks: Range<u32>,
}

/// When a request comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// So long after the start, whatever became of the others.
    At(Duration),
    /// So long after the turn before it was answered.
    After {
        /// The pause.
        think: Duration,
    },
}

impl Trace {
    /// Numbers of the blocks of a row of this trace, from the prompt's beginning. Rows with an equal number have
    /// equal prompts up to the end of that block. Empty where the trace does not tell; a last block that is not
    /// full may be left out.
    pub fn blocks(&self, row: &Row) -> &[u64] {
        &self.blocks[row.blocks.start as usize..row.blocks.end as usize]
    }

    /// Reads a trace from a file, and names it after the file without its endings.
    pub fn read(path: &Path) -> Result<Self, TraceError> {
        let file = File::open(path).map_err(|cause| TraceError::Open { path: path.to_owned(), cause })?;
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
        let trace = Self::parse(&name, BufReader::new(file))?;
        let stem = ENDINGS.iter().fold(&*name, |name, ending| name.strip_suffix(ending).unwrap_or(name));
        Ok(Self { name: stem.to_owned(), ..trace })
    }

    /// Reads a trace from its text, plain or gzip'ed. Errors call it by this name.
    pub fn parse(name: &str, reader: impl BufRead) -> Result<Self, TraceError> {
        let mut lines = Lines::open(name, reader)?;
        let first = lines.first()?;
        match first.trim() {
            ours if ours.starts_with(rows::MARK) => rows::read(ours, lines),
            json if json.starts_with('{') => mooncake::read(json, lines),
            azure::COLUMNS => azure::read(lines),
            other => Err(lines.unknown(other)),
        }
    }

    /// When the last of the rows comes that come at a time of their own.
    pub fn duration(&self) -> Duration {
        let open = self.rows.iter().filter_map(|row| match row.arrival {
            Arrival::At(at) => Some(at),
            Arrival::After { .. } => None,
        });
        open.max().unwrap_or_default()
    }

    /// For each row, the row that follows it in its conversation by `Arrival::After`, if one does.
    pub fn followers(&self) -> Vec<Option<u32>> {
        draft::followers(&self.rows)
    }
}

#[cfg(test)]
mod tests;
