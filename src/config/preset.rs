//! Which metrics does each known model server publish, and what do they mean?

use super::MetricMapping;

/// A model server whose metrics page is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preset {
    /// vLLM.
    Vllm,
    /// `SGLang`.
    Sglang,
    /// llama.cpp's server.
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
        MetricMapping::default()
    }
}
