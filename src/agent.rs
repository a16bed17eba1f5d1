//! The node agent: runs beside a model server, observes it and the host, and reports to the service.
//!
//! **The engine's life is the node's life.** Where a metrics page is configured, the agent registers the node only once the
//! page answers. If the page cannot be read twice in a row, the agent ends its stream without a farewell, as if it had died
//! itself: the service then stops picking the node, unless requests still succeed there. When the page answers
//! again, the node is registered again.

mod backoff;
mod cache;
mod engine;
mod gpu;
mod host;
mod observer;
mod page;
mod stream;

use std::{pin::pin, time::Duration};

use thiserror::Error;
use tokio::time::sleep;
use tracing::{error, info, warn};

use crate::{config::AgentConfig, domain::time::Chance};
use backoff::Backoff;
use cache::Cache;
use observer::Observer;
use stream::{Ended, Stream};

/// Why the agent cannot go on. Nothing that may pass is among it: then it tries again.
#[derive(Debug, Error)]
pub enum AgentError {
    /// The address of the service cannot be one.
    #[error("`{uri}` is no address of a service; hint: write `http://host:port`")]
    Address {
        /// What was configured.
        uri: String,
        /// Why it is none.
        source: tonic::transport::Error,
    },
    /// The client for the metrics page cannot be made.
    #[error("cannot prepare to read the metrics page")]
    Client(#[from] reqwest::Error),
}

/// Reports until `shutdown` resolves, then says farewell.
pub async fn run(config: AgentConfig, shutdown: impl Future<Output = ()>) -> Result<(), AgentError> {
    let mut observer = Observer::new(&config)?;
    let mut cache = config.engine.as_ref().and_then(|engine| engine.kv_events.as_ref()).map(Cache::follow);
    let mut backoff = Backoff::new(config.backoff, config.backoff_max, Chance::with_seed(seed()));
    let mut shutdown = pin!(shutdown);
    loop {
        tokio::select! {
            () = &mut shutdown => return Ok(()),
            () = observer.ready(config.sample_interval) => {}
        }
        let ended = tokio::select! {
            () = &mut shutdown => return Ok(()),
            opened = Stream::open(&config) => match opened? {
                Ok(stream) => {
                    info!(node = %config.node.id, service = config.server, "registered");
                    backoff.reset();
                    stream.report(&mut observer, cache.as_mut(), &mut shutdown).await
                }
                Err(broken) => broken,
            },
        };
        if let (Ended::EngineLost, Some(cache)) = (&ended, &mut cache) {
            cache.listen_anew();
        }
        let Some(pause) = pause_after(ended, &config, &mut backoff) else { return Ok(()) };
        tokio::select! {
            () = &mut shutdown => return Ok(()),
            () = sleep(pause) => {}
        }
    }
}

/// How long until the next try; `None` if the agent was asked to end.
fn pause_after(ended: Ended, config: &AgentConfig, backoff: &mut Backoff) -> Option<Duration> {
    let node = &config.node.id;
    match ended {
        Ended::Asked => None,
        Ended::EngineLost => {
            warn!(%node, "the metrics page is gone: the node is given up until it answers");
            Some(Duration::ZERO)
        }
        Ended::Broken(reason) => {
            warn!(%node, reason, "no stream to the service: trying again");
            Some(backoff.next())
        }
        // Only an operator can mend it, here or at the service: hurrying does not help.
        Ended::Refused(violations) => {
            error!(
                %node,
                violations,
                "the service refuses this node; hint: correct these fields of its declaration and restart the agent"
            );
            Some(config.backoff_max)
        }
    }
}

/// Agents that lose a service together must not come back together.
fn seed() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(std::process::id())
}

#[cfg(test)]
mod tests;
