//! How is the model server, by its own metrics page?

use std::time::Duration;

use reqwest::Client;
use thiserror::Error;

use super::page::{Page, Sample};
use crate::{
    config::{Combine, EngineConfig, MetricSource},
    domain::load::{NodeLoad, Ratio},
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
        let client = Client::builder().timeout(config.timeout).build()?;
        Ok(Self { config, client, first_tokens: None })
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
        let now = mapping.first_token_latency.as_ref().and_then(|source| sum_and_count(page, source));
        load.first_token_latency = mean_since(self.first_tokens, now);
        self.first_tokens = now;
    }
}

/// One number of a metric, in our unit; `None` where the page lacks it.
fn number(page: Page<'_>, source: &MetricSource) -> Option<f64> {
    let names = std::iter::once(&source.name).chain(&source.older_names);
    let samples = names.map(|name| matching(page, name, source)).find(|samples| !samples.is_empty())?;
    let values = samples.iter().map(|sample| sample.value);
    let combined = match source.combine {
        Combine::Sum => values.sum(),
        Combine::Max => values.fold(f64::NEG_INFINITY, f64::max),
        Combine::Mean => values.sum::<f64>() / samples.len() as f64,
    };
    Some(combined * source.scale)
}

fn matching(page: Page<'_>, name: &str, source: &MetricSource) -> Vec<Sample> {
    let wanted = |sample: &Sample| {
        source.labels.iter().all(|(key, value)| sample.labels.iter().any(|(k, v)| k == key && v == value))
    };
    page.samples(name).into_iter().filter(wanted).collect()
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

/// Sum and count of a histogram or summary, in seconds.
fn sum_and_count(page: Page<'_>, source: &MetricSource) -> Option<(f64, f64)> {
    let part = |suffix: &str| {
        let samples = matching(page, &format!("{}{suffix}", source.name), source);
        (!samples.is_empty()).then(|| samples.iter().map(|sample| sample.value).sum::<f64>())
    };
    Some((part("_sum")? * source.scale, part("_count")?))
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

fn listed(samples: &[Sample], label: &str) -> Vec<String> {
    let lists = samples.iter().flat_map(|sample| &sample.labels).filter(|(key, _)| key == label);
    let names = lists.flat_map(|(_, list)| list.split(',')).map(str::trim).filter(|name| !name.is_empty());
    let mut names: Vec<_> = names.map(str::to_owned).collect();
    names.sort_unstable();
    names.dedup();
    names.truncate(NodeLoad::MAX_ADAPTERS);
    names
}

#[cfg(test)]
mod tests;
