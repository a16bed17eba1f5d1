//! How is the node now, all in all? And is it still there?

use std::time::Duration;

use tokio::time::sleep;
use tracing::{debug, info};

use super::{
    engine::{Engine, EngineError},
    gpu::Gpu,
    host::Host,
};
use crate::{config::AgentConfig, domain::load::NodeLoad};

/// One failed look may be a hiccup; two in a row are a dead server.
const FAILURES_MAX: u32 = 2;

/// Looks at host, GPUs and model server.
#[derive(Debug)]
pub(super) struct Observer {
    host: Option<Host>,
    gpu: Option<Gpu>,
    engine: Option<Engine>,
    failures: u32,
}

/// What a look shows.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "there is one at a time, and it is nearly always a load")]
pub(super) enum Look {
    /// The load now.
    Load(NodeLoad),
    /// The model server did not answer, for once.
    Unclear,
    /// The model server is gone.
    Gone,
}

impl Observer {
    /// Prepares to observe what the configuration asks for.
    pub(super) fn new(config: &AgentConfig) -> Result<Self, reqwest::Error> {
        Ok(Self {
            host: config.host.then(Host::new).flatten(),
            gpu: config.gpu.then(Gpu::new).flatten(),
            engine: config.engine.clone().map(Engine::new).transpose()?,
            failures: 0,
        })
    }

    /// Resolves once the model server answers, looking every `interval`.
    pub(super) async fn ready(&mut self, interval: Duration) {
        let mut waits = false;
        while let Look::Unclear | Look::Gone = self.look().await {
            if !waits {
                info!("waiting for the metrics page");
                waits = true;
            }
            sleep(interval).await;
        }
    }

    /// Looks once. Safe to cancel: what is remembered changes only at the end.
    pub(super) async fn look(&mut self) -> Look {
        let mut load = NodeLoad::default();
        match self.observe(&mut load).await {
            Ok(()) => {
                self.failures = 0;
                Look::Load(load)
            }
            Err(error) => {
                debug!(error = &error as &dyn std::error::Error, "a look failed");
                self.failures = self.failures.saturating_add(1);
                if self.failures >= FAILURES_MAX { Look::Gone } else { Look::Unclear }
            }
        }
    }

    async fn observe(&mut self, load: &mut NodeLoad) -> Result<(), EngineError> {
        if let Some(host) = &mut self.host {
            host.observe(load);
        }
        if let Some(gpu) = &self.gpu {
            gpu.observe(load);
        }
        match &mut self.engine {
            Some(engine) => engine.observe(load).await,
            None => Ok(()),
        }
    }
}
