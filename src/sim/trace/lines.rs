//! How is a trace cut into lines?
//!
//! One line at a time, of bounded length: a file that unpacks without end must not take the memory.

use std::io::{self, BufRead, BufReader, Cursor, Read};

use flate2::bufread::MultiGzDecoder;

use super::{Draft, Trace, TraceError, draft::Refused};

/// Longest line in bytes: the block numbers of a prompt of `TOKENS_MAX` tokens, in JSON.
const LINE_BYTES_MAX: u64 = 4 << 20;
/// What gzip files begin with.
const GZIP: [u8; 2] = [0x1f, 0x8b];
/// Most characters of the input that an error shows.
const SHOWN_MAX: usize = 60;

/// The lines of a trace, and where one is in it.
pub(super) struct Lines<'a> {
    name: String,
    reader: Box<dyn BufRead + 'a>,
    /// The line that was read last, from 1.
    line: usize,
    buffer: Vec<u8>,
}

impl<'a> Lines<'a> {
    /// The lines of a plain or gzip'ed text.
    pub(super) fn open(name: &str, mut reader: impl BufRead + 'a) -> Result<Self, TraceError> {
        let mut head = Vec::new();
        let name = name.to_owned();
        if let Err(cause) = reader.by_ref().take(GZIP.len() as u64).read_to_end(&mut head) {
            return Err(TraceError::Read { name, line: 0, cause });
        }
        let packed = head == GZIP;
        let whole = Cursor::new(head).chain(reader);
        let reader: Box<dyn BufRead + 'a> =
            if packed { Box::new(BufReader::new(MultiGzDecoder::new(whole))) } else { Box::new(whole) };
        Ok(Self { name, reader, line: 0, buffer: Vec::new() })
    }

    /// The first line, without a byte order mark.
    pub(super) fn first(&mut self) -> Result<String, TraceError> {
        let name = self.name.clone();
        let first = self.next()?.ok_or(TraceError::Empty { name })?;
        Ok(first.trim_start_matches('\u{feff}').to_owned())
    }

    /// The next line that is not empty, without its end; none at the end of the file.
    pub(super) fn next(&mut self) -> Result<Option<&str>, TraceError> {
        loop {
            self.buffer.clear();
            let read = self.reader.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut self.buffer);
            match read {
                Ok(0) => return Ok(None),
                Ok(_) => self.line += 1,
                Err(cause) => return Err(self.broken(cause)),
            }
            if self.buffer.len() as u64 == LINE_BYTES_MAX {
                let expected = format!("a line shorter than {LINE_BYTES_MAX} bytes");
                return Err(self.wrong("the line", &String::from_utf8_lossy(&self.buffer), expected));
            }
            if !self.buffer.trim_ascii().is_empty() {
                break;
            }
        }
        match str::from_utf8(&self.buffer) {
            Ok(text) => Ok(Some(text.trim_end_matches(['\n', '\r']))),
            Err(_) => Err(self.wrong("the line", &String::from_utf8_lossy(&self.buffer), "UTF-8 text")),
        }
    }

    /// Hands each line that is left to `read`.
    pub(super) fn each(
        &mut self,
        mut read: impl FnMut(&str) -> Result<(), Refused>,
    ) -> Result<(), TraceError> {
        while let Some(text) = self.next()? {
            if let Err(refused) = read(text) {
                return Err(self.refused(&refused));
            }
        }
        Ok(())
    }

    /// The trace of the rows that were read.
    pub(super) fn finish(self, draft: Draft) -> Result<Trace, TraceError> {
        draft.finish().ok_or(TraceError::Empty { name: self.name })
    }

    /// Name of the trace.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The error that this first line belongs to no format.
    pub(super) fn unknown(&self, first: &str) -> TraceError {
        TraceError::Unknown { name: self.name.clone(), read: shown(first) }
    }

    /// The error that the last line was refused.
    pub(super) fn refused(&self, refused: &Refused) -> TraceError {
        self.wrong(&format!("`{}`", refused.field), &refused.read, refused.expected.as_str())
    }

    fn wrong(&self, field: &str, read: &str, expected: impl Into<String>) -> TraceError {
        TraceError::Line {
            name: self.name.clone(),
            line: self.line,
            field: field.to_owned(),
            read: shown(read),
            expected: expected.into(),
        }
    }

    fn broken(&self, cause: io::Error) -> TraceError {
        TraceError::Read { name: self.name.clone(), line: self.line, cause }
    }
}

/// The beginning of a text, fit for a terminal.
fn shown(text: &str) -> String {
    let mut characters = text.chars();
    let mut shown: String = characters.by_ref().take(SHOWN_MAX).flat_map(char::escape_debug).collect();
    if characters.next().is_some() {
        shown.push('…');
    }
    shown
}
