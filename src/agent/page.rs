//! What does a metrics page say of one metric?
//!
//! Only lines of the metric asked for are parsed, each by itself: one odd line elsewhere does not cost the page. The
//! parser accepts colons in names, which are in all of vLLM's and llama.cpp's. It does not accept empty braces, a comma
//! after the last label or blanks before the name, all of which the format allows: these are straightened out first.

use prom_text_format_parser::Scrape;

/// A metrics page in the Prometheus text format.
#[derive(Debug, Clone, Copy)]
pub(super) struct Page<'a>(pub(super) &'a str);

/// One line of it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sample {
    /// Labels, unescaped.
    pub(super) labels: Vec<(String, String)>,
    /// The number as it stands there, which may be NaN or infinite.
    pub(super) value: f64,
}

impl Page<'_> {
    /// The samples of a metric; lines that cannot be parsed are passed over.
    pub(super) fn samples(self, name: &str) -> Vec<Sample> {
        let of_metric = |line| str::trim(line).strip_prefix(name);
        self.0.lines().filter_map(of_metric).filter_map(|rest| sample(name, rest)).collect()
    }
}

fn sample(name: &str, rest: &str) -> Option<Sample> {
    // Otherwise it is the beginning of a longer name.
    if !rest.starts_with(['{', ' ', '\t']) {
        return None;
    }
    let (labels, value) = split(rest.trim_start())?;
    let labels = if labels.is_empty() { String::new() } else { format!("{{{labels}}}") };
    let scrape = Scrape::parse(&format!("{name}{labels} {value}\n")).ok()?;
    let sample = scrape.metrics.first()?.samples.first()?;
    let labels = sample.labels.iter().map(|label| (label.key.clone(), unescape(&label.value))).collect();
    Some(Sample { labels, value: sample.value.value.parse().ok()? })
}

/// What stands between the braces, without a last comma, and what follows them.
fn split(rest: &str) -> Option<(&str, &str)> {
    let Some(inner) = rest.strip_prefix('{') else { return Some(("", rest)) };
    let (mut quoted, mut escaped) = (false, false);
    let close = inner.find(|c| {
        let literal = std::mem::take(&mut escaped);
        match c {
            '\\' => escaped = quoted && !literal,
            '"' if !literal => quoted = !quoted,
            _ => {}
        }
        c == '}' && !quoted
    })?;
    let labels = inner[..close].trim();
    Some((labels.strip_suffix(',').unwrap_or(labels).trim_end(), inner[close + 1..].trim_start()))
}

fn unescape(value: &str) -> String {
    let mut chars = value.chars();
    let next = || {
        let c = chars.next()?;
        let escaped = if c == '\\' { chars.next() } else { None };
        Some(match escaped {
            Some('n') => '\n',
            Some(other) => other,
            None => c,
        })
    };
    std::iter::from_fn(next).collect()
}

#[cfg(test)]
mod tests;
