//! How are figures put into words, alike in the table and the chart?

use crate::sim::figures::{Report, Run};

/// What was simulated: `conversation on 8 nodes at 90 % of saturation (speed 2.31), seed 7`.
pub(super) fn headline(report: &Report) -> String {
    format!("{} on {}", report.trace, setting(report))
}

/// The same without the trace: `8 nodes at 90 % of saturation (speed 2.31), seed 7`.
pub(super) fn setting(report: &Report) -> String {
    let nodes = if report.nodes == 1 { "1 node".to_owned() } else { format!("{} nodes", report.nodes) };
    let speed = format!("speed {:.2}", report.speed);
    let load = match report.load_ratio {
        Some(ratio) => format!("at {} of saturation ({speed})", percent(ratio, 0)),
        None => format!("at {speed}"),
    };
    format!("{nodes} {load}, seed {}", report.seed)
}

/// Whether any request of a run was answered: if none was, its latencies say nothing.
pub(super) fn answered(run: &Run) -> bool {
    !run.first_tokens.is_empty()
}

/// A share: `93.1 %`.
pub(in crate::cli) fn percent(ratio: f64, decimals: usize) -> String {
    format!("{:.decimals$} %", 100.0 * ratio)
}

/// A time, as short as it can be told to three digits or so: `42 ms`, `4.2 s`, `3 min`.
pub(super) fn time(millis: f64) -> String {
    let (value, unit) = match millis {
        ..9_950.0 if millis < 999.5 => (millis, "ms"),
        ..119_500.0 => (millis / 1e3, "s"),
        ..7_170_000.0 => (millis / 60e3, "min"),
        _ => (millis / 3_600e3, "h"),
    };
    let text = if value < 9.95 { format!("{value:.1}") } else { format!("{value:.0}") };
    format!("{} {unit}", text.strip_suffix(".0").unwrap_or(&text))
}

/// A number of no sign, without decimals and its thousands apart: `12,031`.
pub(super) fn grouped(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests;
