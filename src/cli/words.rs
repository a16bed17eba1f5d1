//! How values of the API are called before people.

use crate::proto::{Filter, LimitUnit, Rung};

/// A filter.
pub fn filter_name(filter: Filter) -> &'static str {
    match filter {
        Filter::Unspecified => "unknown filter",
        Filter::RequestType => "request type",
        Filter::Model => "model",
        Filter::ModelVersion => "model version",
        Filter::NodeClass => "node class",
        Filter::Excluded => "excluded by the caller",
        Filter::Drain => "draining",
        Filter::Breaker => "breaker",
        Filter::Freshness => "no sign of life",
    }
}

/// What a limit counts.
pub fn unit_name(unit: LimitUnit) -> &'static str {
    match unit {
        LimitUnit::Unspecified => "units",
        LimitUnit::Requests => "requests",
        LimitUnit::Tokens => "tokens",
    }
}

/// How far from normal a decision was made.
pub fn rung_name(rung: Rung) -> &'static str {
    match rung {
        Rung::Unspecified => "unknown",
        Rung::Normal => "normal",
        Rung::Frozen => "frozen",
        Rung::Panic => "panic",
        Rung::Busy => "busy",
        Rung::Overloaded => "overloaded",
    }
}

/// A text from elsewhere on one line: what would move the cursor or colour the terminal is written out.
pub fn printable(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for letter in text.chars() {
        if letter.is_control() {
            line.extend(letter.escape_default());
        } else {
            line.push(letter);
        }
    }
    line
}

#[cfg(test)]
mod tests;
