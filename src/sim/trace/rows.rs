//! Our own format: how is it read?
//!
//! ```text
//! #lrt1 block=512 arrivals=closed
//! #t_ms   tenant  session  turn  think_ms  in     out  blocks
//! 2872    0       0        0     0         20420  368  0-38
//! -1      0       0        1     4000      21017  288  0-38,41,43
//! ```
//!
//! Separated by tabs. A time of -1 says that the turn comes `think_ms` after the one before it was answered;
//! `arrivals` says whether to expect that and is for people. Blocks are numbers and ranges of numbers.

use std::{ops::RangeInclusive, time::Duration};

use super::{
    Arrival, Draft, TOKENS_MAX, Trace, TraceError,
    draft::{Entry, Refused},
    lines::Lines,
    number,
};

/// What such a file begins with.
pub(super) const MARK: &str = "#lrt1";
/// The second line.
const COLUMNS: &str = "#t_ms\ttenant\tsession\tturn\tthink_ms\tin\tout\tblocks";
const COLUMNS_COUNT: usize = 8;
/// Largest size of a block in tokens.
const BLOCK_TOKENS_MAX: u32 = 1 << 20;

/// Reads the rows behind the first line.
pub(super) fn read(first: &str, mut lines: Lines<'_>) -> Result<Trace, TraceError> {
    let block_tokens = header(first).map_err(|refused| lines.refused(&refused))?;
    let columns = lines.next()?.unwrap_or_default();
    if columns != COLUMNS {
        let expected = format!("`{}`", COLUMNS.escape_debug());
        let refused = Refused { field: "columns".into(), read: columns.to_owned(), expected };
        return Err(lines.refused(&refused));
    }
    let mut draft = Draft::new(lines.name(), block_tokens);
    lines.each(|line| row(line, &mut draft))?;
    lines.finish(draft)
}

/// Tokens of a block.
fn header(line: &str) -> Result<u32, Refused> {
    let mut block_tokens = None;
    for word in line.split_whitespace().skip(1) {
        match word.split_once('=') {
            Some(("block", tokens)) => {
                block_tokens = Some(number::whole("block", tokens, 1..=BLOCK_TOKENS_MAX)?);
            }
            Some(("arrivals", "open" | "closed")) => {}
            _ => {
                let expected = "`block=TOKENS` and `arrivals=open` or `arrivals=closed`".to_owned();
                return Err(Refused { field: "header".into(), read: word.to_owned(), expected });
            }
        }
    }
    let missing = || Refused {
        field: "header".into(),
        read: line.to_owned(),
        expected: "`block=TOKENS` in it".to_owned(),
    };
    block_tokens.ok_or_else(missing)
}

fn row(line: &str, draft: &mut Draft) -> Result<(), Refused> {
    let mut fields = [""; COLUMNS_COUNT];
    let mut count = 0;
    for text in line.split('\t') {
        if let Some(field) = fields.get_mut(count) {
            *field = text;
        }
        count += 1;
    }
    if count != COLUMNS_COUNT {
        let expected = format!("{COLUMNS_COUNT} columns between tabs, not {count}");
        return Err(Refused { field: "columns".into(), read: line.to_owned(), expected });
    }
    let [time, tenant, session, turn, think, input, output, blocks] = fields;
    let entry = Entry {
        arrival: arrival(time, think)?,
        tenant: number::whole("tenant", tenant, 0..=u32::MAX)?,
        session: number::whole("session", session, 0..=u32::MAX)?,
        turn: number::whole("turn", turn, 0..=u32::MAX)?,
        input: number::whole("in", input, 1..=TOKENS_MAX)?,
        output: number::whole("out", output, 0..=TOKENS_MAX)?,
    };
    // Ranges are small however much they span; all are checked before the first number is taken.
    let ranges = blocks.split(',').filter(|_| !blocks.is_empty()).map(range);
    let ranges = ranges.collect::<Result<Vec<_>, _>>()?;
    draft.push(entry, ranges.into_iter().flatten())
}

fn arrival(time: &str, think: &str) -> Result<Arrival, Refused> {
    let think: Duration = number::millis("think_ms", think)?;
    if time == "-1" {
        return Ok(Arrival::After { think });
    }
    let at = number::millis("t_ms", time).map_err(|refused| Refused {
        expected: format!("{}, or -1 for a turn that follows", refused.expected),
        ..refused
    })?;
    Ok(Arrival::At(at))
}

fn range(text: &str) -> Result<RangeInclusive<u64>, Refused> {
    let wrong = || Refused {
        field: "blocks".into(),
        read: text.to_owned(),
        expected: "block numbers such as `0,14-27`".to_owned(),
    };
    let number = |text: &str| text.parse::<u64>().map_err(|_| wrong());
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (number(first)?, number(last)?);
    if first > last {
        return Err(wrong());
    }
    Ok(first..=last)
}
