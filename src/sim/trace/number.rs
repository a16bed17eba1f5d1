//! Which numbers may a field of a trace hold?

use std::{fmt::Display, ops::RangeInclusive, time::Duration};

use super::{TIME_MAX, draft::Refused};

/// A whole number within a range, from its text.
pub(super) fn whole(field: &'static str, text: &str, range: RangeInclusive<u32>) -> Result<u32, Refused> {
    match text.parse::<u64>() {
        Ok(number) => within(field, number, range),
        Err(_) => Err(out_of(field, &text, &range)),
    }
}

/// A number, if it is within a range.
pub(super) fn within(field: &'static str, number: u64, range: RangeInclusive<u32>) -> Result<u32, Refused> {
    let fits = u32::try_from(number).ok().filter(|number| range.contains(number));
    fits.ok_or_else(|| out_of(field, &number, &range))
}

/// A time in milliseconds, which may have decimals, from its text.
pub(super) fn millis(field: &'static str, text: &str) -> Result<Duration, Refused> {
    text.parse::<f64>().map_err(|_| no_time(field, &text)).and_then(|millis| duration(field, millis))
}

/// A time in milliseconds.
pub(super) fn duration(field: &'static str, millis: f64) -> Result<Duration, Refused> {
    // False for what is not a number.
    if (0.0..=TIME_MAX.as_secs_f64() * 1e3).contains(&millis) {
        return Ok(Duration::from_secs_f64(millis / 1e3));
    }
    Err(no_time(field, &millis))
}

fn out_of(field: &'static str, read: &dyn Display, range: &RangeInclusive<u32>) -> Refused {
    let expected = format!("a whole number from {} to {}", range.start(), range.end());
    Refused { field: field.into(), read: read.to_string(), expected }
}

fn no_time(field: &'static str, read: &dyn Display) -> Refused {
    let expected = format!("milliseconds from 0 to {}", TIME_MAX.as_millis());
    Refused { field: field.into(), read: read.to_string(), expected }
}
