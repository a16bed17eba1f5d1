//! How is the model server, by its own metrics page?

use std::time::Duration;

use reqwest::Client;
use thiserror::Error;
use tracing::{info, warn};

use super::page::{Page, Sample};
use crate::{
    config::{CapacitySource, Combine, EngineConfig, MetricMapping, MetricSource},
    domain::{
        id::AdapterName,
        load::{NodeLoad, Ratio},
    },
};

/// A page larger than this is not read to its end.
const PAGE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// A model server.
#[derive(Debug)]
pub(super) struct Engine {
    config: EngineConfig,
    client: Client,
    /// Sum and count of the first-token latencies at the last look.
    first_tokens: Option<(f64, f64)>,
    /// What the page did not tell at the last look, so that only a change is logged.
    unknown: Vec<&'static str>,
}

/// Why its page cannot be read.
#[derive(Debug, Error)]
pub(super) enum EngineError {
    /// No answer, or not a good one.
    #[error("the metrics page does not answer")]
    Unreachable(#[from] reqwest::Error),
    /// Something else answers there.
    #[error("the metrics page is larger than {PAGE_BYTES_MAX} bytes")]
    TooLarge,
}

impl Engine {
    /// Prepares to read the page; does not read it yet.
    pub(super) fn new(config: EngineConfig) -> Result<Self, reqwest::Error> {
        // The page is beside the agent: a proxy of the environment would be in the way.
        let client = Client::builder().timeout(config.timeout).no_proxy().build()?;
        Ok(Self { config, client, first_tokens: None, unknown: Vec::new() })
    }

    /// Reads the page into the load.
    pub(super) async fn observe(&mut self, load: &mut NodeLoad) -> Result<(), EngineError> {
        let page = self.fetch().await?;
        self.read(Page(&page), load);
        Ok(())
    }

    async fn fetch(&self) -> Result<String, EngineError> {
        let mut response = self.client.get(&self.config.metrics_url).send().await?.error_for_status()?;
        let mut page = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            if page.len() + chunk.len() > PAGE_BYTES_MAX {
                return Err(EngineError::TooLarge);
            }
            page.extend_from_slice(&chunk);
        }
        Ok(String::from_utf8_lossy(&page).into_owned())
    }

    /// A metric that is missing, or says something absurd, leaves its field unknown and the others as they are.
    fn read(&mut self, page: Page<'_>, load: &mut NodeLoad) {
        let mapping = &self.config.mapping;
        load.running = mapping.running.as_ref().and_then(|source| count(page, source));
        load.waiting = mapping.waiting.as_ref().and_then(|source| count(page, source));
        load.kv_cache = mapping.kv_cache.as_ref().and_then(|source| ratio(page, source));
        if let Some(gpu) = mapping.gpu.as_ref().and_then(|source| ratio(page, source)) {
            load.gpu = Some(gpu);
        }
        if let Some(memory) = mapping.gpu_memory.as_ref().and_then(|source| ratio(page, source)) {
            load.gpu_memory = Some(memory);
        }
        if let Some(adapters) = &mapping.adapters {
            load.adapters = listed(&page.samples(&adapters.name), &adapters.label);
        }
        load.kv_capacity = mapping.kv_capacity.as_ref().and_then(|source| capacity(page, source));
        // What these servers count as used is used by requests in execution; what is kept for reuse is not.
        load.kv_active = load.kv_capacity.zip(load.kv_cache).map(|(capacity, used)| share_of(capacity, used));
        let now = mapping.first_token_latency.as_ref().and_then(|source| sum_and_count(page, source));
        load.first_token_latency = mean_since(self.first_tokens, now);
        self.first_tokens = now;
        let unknown = unknown(mapping, load);
        self.log_change(unknown);
    }

    fn log_change(&mut self, unknown: Vec<&'static str>) {
        if unknown == self.unknown {
            return;
        }
        let url = &self.config.metrics_url;
        if unknown.is_empty() {
            info!(url, "the metrics page tells everything again");
        } else {
            warn!(url, fields = ?unknown, "the metrics page lacks these, or says something absurd: reported as unknown");
        }
        self.unknown = unknown;
    }
}

/// Fields that have a metric and no value. First-token latency is not among them: without requests it has none.
fn unknown(mapping: &MetricMapping, load: &NodeLoad) -> Vec<&'static str> {
    let fields = [
        ("running", mapping.running.is_some() && load.running.is_none()),
        ("waiting", mapping.waiting.is_some() && load.waiting.is_none()),
        ("kv_cache", mapping.kv_cache.is_some() && load.kv_cache.is_none()),
        ("gpu", mapping.gpu.is_some() && load.gpu.is_none()),
        ("gpu_memory", mapping.gpu_memory.is_some() && load.gpu_memory.is_none()),
        ("kv_capacity", mapping.kv_capacity.is_some() && load.kv_capacity.is_none()),
    ];
    fields.into_iter().filter(|(_, unknown)| *unknown).map(|(field, _)| field).collect()
}

/// One number of a metric, in our unit; `None` where the page lacks it.
fn number(page: Page<'_>, source: &MetricSource) -> Option<f64> {
    let values = names(source).find_map(|name| values(page, name, source))?;
    let combined = match source.combine {
        Combine::Sum => values.iter().sum(),
        Combine::Max => values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        Combine::Mean => values.iter().sum::<f64>() / values.len() as f64,
    };
    Some(combined * source.scale)
}

/// What the metric may be called, newest first.
fn names(source: &MetricSource) -> impl Iterator<Item = &str> {
    std::iter::once(&source.name).chain(&source.older_names).map(String::as_str)
}

/// What the metric's samples say; `None` where the page has none, or one of them is absurd: what remains would pass for
/// the whole.
fn values(page: Page<'_>, name: &str, source: &MetricSource) -> Option<Vec<f64>> {
    let wanted = |sample: &Sample| {
        source.labels.iter().all(|(key, value)| sample.labels.iter().any(|(k, v)| k == key && v == value))
    };
    let values: Vec<_> = page.samples(name).into_iter().filter(wanted).map(|sample| sample.value).collect();
    let sane = values.iter().all(|value| value.is_finite() && *value >= 0.0);
    (!values.is_empty() && sane).then_some(values)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "checked: within the range of a count"
)]
fn count(page: Page<'_>, source: &MetricSource) -> Option<u32> {
    let count = number(page, source)?.round();
    let range = 0.0..=f64::from(NodeLoad::MAX_REQUESTS);
    range.contains(&count).then_some(count as u32)
}

/// Rounding may carry a full cache a hair over 1; anything beyond that is absurd.
fn ratio(page: Page<'_>, source: &MetricSource) -> Option<Ratio> {
    let ratio = number(page, source)?;
    let ratio = if (1.0..1.01).contains(&ratio) { 1.0 } else { ratio };
    Ratio::try_new(ratio).ok()
}

/// Tokens of the key-value cache, over all engines of the page.
fn capacity(page: Page<'_>, source: &CapacitySource) -> Option<u64> {
    let tokens = match source {
        CapacitySource::Value(source) => number(page, source)?,
        CapacitySource::Labels { name, labels } => {
            let engines = page.samples(name);
            let product =
                |sample: &Sample| labels.iter().map(|label| labelled(sample, label)).product::<Option<f64>>();
            engines.iter().map(product).sum::<Option<f64>>()?
        }
    };
    let range = 1.0..=NodeLoad::MAX_KV_TOKENS as f64;
    range.contains(&tokens).then(|| whole(tokens))
}

/// What a label says as a number.
fn labelled(sample: &Sample, label: &str) -> Option<f64> {
    let (_, value) = sample.labels.iter().find(|(key, _)| key == label)?;
    value.parse().ok()
}

fn share_of(tokens: u64, share: Ratio) -> u64 {
    whole(tokens as f64 * share.get())
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "no more tokens than a cache can hold"
)]
fn whole(tokens: f64) -> u64 {
    tokens.round() as u64
}

/// Sum and count of a histogram or summary, in seconds.
fn sum_and_count(page: Page<'_>, source: &MetricSource) -> Option<(f64, f64)> {
    names(source).find_map(|name| {
        let part = |suffix| Some(values(page, &format!("{name}{suffix}"), source)?.iter().sum::<f64>());
        Some((part("_sum")? * source.scale, part("_count")?))
    })
}

/// Mean over what came since the last look. After a restart of the server, whose counts begin anew, there is none.
fn mean_since(before: Option<(f64, f64)>, now: Option<(f64, f64)>) -> Option<Duration> {
    let ((sum_before, count_before), (sum, count)) = (before?, now?);
    let (sum, count) = (sum - sum_before, count - count_before);
    if count < 1.0 || sum < 0.0 {
        return None;
    }
    Duration::try_from_secs_f64(sum / count).ok().filter(|mean| *mean <= NodeLoad::MAX_LATENCY)
}

fn listed(samples: &[Sample], label: &str) -> Vec<AdapterName> {
    let lists = samples.iter().flat_map(|sample| &sample.labels).filter(|(key, _)| key == label);
    let names = lists.flat_map(|(_, list)| list.split(',')).map(str::trim);
    let mut names: Vec<_> = names.filter_map(|name| AdapterName::parse(name).ok()).collect();
    names.sort_unstable();
    names.dedup();
    names.truncate(NodeLoad::MAX_ADAPTERS);
    names
}

#[cfg(test)]
mod tests;
