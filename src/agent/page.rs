//! What does a metrics page say of one metric?
//!
//! Only lines of the metric asked for are parsed, each by itself: one odd line elsewhere does not cost the page. The
//! parser accepts colons in names, which are in all of vLLM's and llama.cpp's.

use prom_text_format_parser::Scrape;

/// A metrics page in the Prometheus text format.
#[derive(Debug, Clone, Copy)]
pub(super) struct Page<'a>(pub(super) &'a str);

/// One line of it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sample {
    /// Labels, unescaped.
    pub(super) labels: Vec<(String, String)>,
    /// A finite number.
    pub(super) value: f64,
}

impl Page<'_> {
    /// The samples of a metric; those that are no finite number are passed over.
    pub(super) fn samples(self, name: &str) -> Vec<Sample> {
        let of_metric = |line: &&str| {
            let rest = line.strip_prefix(name);
            rest.is_some_and(|rest| rest.starts_with(['{', ' ', '\t']))
        };
        self.0.lines().filter(of_metric).filter_map(sample).collect()
    }
}

fn sample(line: &str) -> Option<Sample> {
    let scrape = Scrape::parse(&format!("{}\n", line.trim_end())).ok()?;
    let sample = scrape.metrics.first()?.samples.first()?;
    let value: f64 = sample.value.value.parse().ok()?;
    let labels = sample.labels.iter().map(|label| (label.key.clone(), label.value.clone())).collect();
    value.is_finite().then_some(Sample { labels, value })
}

#[cfg(test)]
mod tests;
