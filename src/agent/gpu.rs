//! How busy are the GPUs? Read through NVML, in a build with the feature `gpu`.

use tracing::warn;

use crate::domain::load::NodeLoad;
#[cfg(feature = "gpu")]
use crate::domain::load::Ratio;

/// The host's GPUs.
#[derive(Debug)]
pub(super) struct Gpu {
    #[cfg(feature = "gpu")]
    nvml: nvml_wrapper::Nvml,
}

#[cfg(not(feature = "gpu"))]
impl Gpu {
    /// There is no way to read them.
    pub(super) fn new() -> Option<Self> {
        warn!("GPUs are not reported: this build lacks the feature `gpu`");
        None
    }

    /// Adds nothing.
    #[expect(clippy::unused_self, reason = "shaped as with the feature")]
    pub(super) fn observe(&self, _load: &mut NodeLoad) {}
}

#[cfg(feature = "gpu")]
impl Gpu {
    /// Prepares to observe; `None` without the driver.
    pub(super) fn new() -> Option<Self> {
        let failed = |error| warn!(%error, "GPUs are not reported: is the NVIDIA driver installed?");
        nvml_wrapper::Nvml::init().map_err(failed).ok().map(|nvml| Self { nvml })
    }

    /// Adds the means over all GPUs to the load.
    pub(super) fn observe(&self, load: &mut NodeLoad) {
        let count = self.nvml.device_count().unwrap_or(0);
        let readings: Vec<_> = (0..count).filter_map(|index| self.read(index)).collect();
        if readings.is_empty() {
            return;
        }
        let mean =
            |part: fn(&(f64, f64)) -> f64| readings.iter().map(part).sum::<f64>() / readings.len() as f64;
        load.gpu = Ratio::try_new(mean(|reading| reading.0)).ok();
        load.gpu_memory = Ratio::try_new(mean(|reading| reading.1)).ok();
    }

    /// Utilization and memory in use of one GPU, as fractions.
    fn read(&self, index: u32) -> Option<(f64, f64)> {
        let device = self.nvml.device_by_index(index).ok()?;
        let busy = f64::from(device.utilization_rates().ok()?.gpu) / 100.0;
        let memory = device.memory_info().ok()?;
        Some((busy, memory.used as f64 / memory.total as f64))
    }
}
