//! Which numbers may a field of a trace hold?

use std::{ops::RangeInclusive, time::Duration};

use super::{TIME_MAX, draft::Refused};

/// A whole number within a range.
pub(super) fn whole(field: &'static str, text: &str, range: RangeInclusive<u32>) -> Result<u32, Refused> {
    let number = text.parse().ok().filter(|number| range.contains(number));
    number.ok_or_else(|| Refused {
        field,
        read: text.to_owned(),
        expected: format!("a whole number from {} to {}", range.start(), range.end()),
    })
}

/// A time in milliseconds, which may have decimals.
pub(super) fn millis(field: &'static str, text: &str) -> Result<Duration, Refused> {
    let max = TIME_MAX.as_secs_f64() * 1e3;
    let millis = text.parse::<f64>().ok().filter(|millis| (0.0..=max).contains(millis));
    let seconds = millis.map(|millis| millis / 1e3).ok_or_else(|| Refused {
        field,
        read: text.to_owned(),
        expected: format!("milliseconds from 0 to {max}"),
    })?;
    Ok(Duration::from_secs_f64(seconds))
}
