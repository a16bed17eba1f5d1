//! How busy is the host?

use sysinfo::{MINIMUM_CPU_UPDATE_INTERVAL, System};
use tokio::time::Instant;
use tracing::warn;

use crate::domain::load::{NodeLoad, Ratio};

/// The machine that the agent runs on.
#[derive(Debug)]
pub(super) struct Host {
    system: System,
    /// When the processor was looked at; its use is the difference of two looks that are not too close.
    looked: Option<Instant>,
    cpu: Option<Ratio>,
}

impl Host {
    /// Prepares to observe; `None` where the system does not let us.
    pub(super) fn new() -> Option<Self> {
        let failed =
            |error| warn!(?error, "the host cannot be observed: its processor and memory are not reported");
        let system = System::new().map_err(failed).ok()?;
        Some(Self { system, looked: None, cpu: None })
    }

    /// Adds processor and memory to the load.
    pub(super) fn observe(&mut self, load: &mut NodeLoad) {
        self.look_at_cpu();
        self.system.refresh_memory();
        let (available, total) = (self.system.available_memory(), self.system.total_memory());
        load.cpu = self.cpu;
        load.memory = Ratio::try_new(1.0 - available as f64 / total as f64).ok();
    }

    fn look_at_cpu(&mut self) {
        let since = self.looked.map(|looked| looked.elapsed());
        if since.is_some_and(|since| since < MINIMUM_CPU_UPDATE_INTERVAL) {
            return;
        }
        self.system.refresh_cpu_usage();
        self.looked = Some(Instant::now());
        // The first look has nothing to compare with.
        if since.is_some() {
            self.cpu =
                Ratio::try_new(f64::from(self.system.global_cpu_usage().clamp(0.0, 100.0)) / 100.0).ok();
        }
    }
}
