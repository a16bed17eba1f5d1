//! Which metrics does each known model server publish, and what do they mean?
//!
//! Names as the servers spell them in 2026; where a release renamed a metric, the older name is tried after the newer.

use std::collections::BTreeMap;

use super::{AdapterSource, CapacitySource, Combine, MetricMapping, MetricSource};

/// A model server whose metrics page is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preset {
    /// vLLM.
    Vllm,
    /// `SGLang`.
    Sglang,
    /// llama.cpp's server, started with `--metrics`.
    LlamaCpp,
    /// NVIDIA Triton.
    Triton,
    /// Hugging Face Text Generation Inference.
    Tgi,
}

impl Preset {
    /// Every preset, with its name in configuration.
    pub const NAMES: [(Self, &str); 5] = [
        (Self::Vllm, "vllm"),
        (Self::Sglang, "sglang"),
        (Self::LlamaCpp, "llama_cpp"),
        (Self::Triton, "triton"),
        (Self::Tgi, "tgi"),
    ];

    /// Which of its metrics mean what.
    pub fn mapping(self) -> MetricMapping {
        match self {
            Self::Vllm => vllm(),
            Self::Sglang => MetricMapping {
                running: sum("sglang:num_running_reqs"),
                waiting: sum("sglang:num_queue_reqs"),
                kv_cache: fullest("sglang:token_usage"),
                first_token_latency: sum("sglang:time_to_first_token_seconds"),
                kv_capacity: sum("sglang:max_total_num_tokens").map(CapacitySource::Value),
                ..MetricMapping::default()
            },
            // llama.cpp publishes no measure of its cache.
            Self::LlamaCpp => MetricMapping {
                running: sum("llamacpp:requests_processing"),
                waiting: sum("llamacpp:requests_deferred"),
                ..MetricMapping::default()
            },
            // Triton's GPU memory is a quotient of two metrics: `pointsman agent --gpu` reads it instead.
            Self::Triton => MetricMapping {
                waiting: sum("nv_inference_pending_request_count"),
                gpu: mean("nv_gpu_utilization"),
                ..MetricMapping::default()
            },
            Self::Tgi => MetricMapping {
                running: sum("tgi_batch_current_size"),
                waiting: sum("tgi_queue_size"),
                ..MetricMapping::default()
            },
        }
    }
}

fn vllm() -> MetricMapping {
    MetricMapping {
        running: sum("vllm:num_requests_running"),
        waiting: sum("vllm:num_requests_waiting"),
        // A fraction, whatever its name says; the second name is that of releases before 0.10.
        kv_cache: Some(MetricSource {
            older_names: vec!["vllm:gpu_cache_usage_perc".into()],
            ..source("vllm:kv_cache_usage_perc", Combine::Max)
        }),
        first_token_latency: sum("vllm:time_to_first_token_seconds"),
        adapters: Some(AdapterSource {
            name: "vllm:lora_requests_info".into(),
            label: "running_lora_adapters".into(),
        }),
        kv_capacity: Some(CapacitySource::Labels {
            name: "vllm:cache_config_info".into(),
            labels: ["num_gpu_blocks".into(), "block_size".into()],
        }),
        ..MetricMapping::default()
    }
}

#[expect(clippy::unnecessary_wraps, reason = "shaped as the field it fills")]
fn sum(name: &str) -> Option<MetricSource> {
    Some(source(name, Combine::Sum))
}

#[expect(clippy::unnecessary_wraps, reason = "shaped as the field it fills")]
fn mean(name: &str) -> Option<MetricSource> {
    Some(source(name, Combine::Mean))
}

#[expect(clippy::unnecessary_wraps, reason = "shaped as the field it fills")]
fn fullest(name: &str) -> Option<MetricSource> {
    Some(source(name, Combine::Max))
}

fn source(name: &str, combine: Combine) -> MetricSource {
    MetricSource { name: name.into(), older_names: Vec::new(), labels: BTreeMap::new(), scale: 1.0, combine }
}
