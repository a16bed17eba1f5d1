//! What may the file say of how answers are kept?

use std::time::Duration;

use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    config::raw::span::{Span, TICK, within},
    domain::answer::policy::AnswerPolicy,
};

/// Longest time for which an answer is fresh or stale.
const KEPT_MAX: Duration = Duration::from_hours(30 * 24);
/// Most memory for answers, in bytes: 1 TiB.
const BYTES_MAX: u64 = 1 << 40;

/// How answers are kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(default, deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub struct Answers {
    /// Memory of all answers together, in bytes, 0 to 1099511627776; 0 keeps none; a change needs a restart.
    #[garde(range(max = BYTES_MAX))]
    pub bytes_max: u64,
    /// Longest answer that is kept itself, in bytes, 0 to 67108864; at least 4096 below `server.answer_bytes_max`.
    #[garde(range(max = 67_108_864))]
    pub body_bytes_max: usize,
    /// Longest reference to an answer that the gateway keeps, in bytes, 0 to 65536.
    #[garde(range(max = 65_536))]
    pub reference_bytes_max: usize,
    /// How long an answer is fresh, by its request type, or as a fact or of the moment.
    #[garde(dive)]
    pub ttl: Ttl,
    /// The longest that a store may ask for, 1s to 30days.
    #[garde(custom(within(Duration::from_secs(1), KEPT_MAX)))]
    pub ttl_max: Span,
    /// A time to live varies by up to this share either way, 0 to 1, so that what was stored together does not expire together.
    #[garde(range(min = 0.0, max = 1.0))]
    pub jitter: f64,
    /// How long an expired answer may still be served to those who would get nothing better, 0s to 30days.
    #[garde(custom(within(Duration::ZERO, KEPT_MAX)))]
    pub stale_for: Span,
    /// How long identical requests wait for an answer to be stored after the one that leads them has ended well, 0s to 1h.
    #[garde(custom(within(Duration::ZERO, Duration::from_hours(1))))]
    pub store_grace: Span,
    /// Most questions at once for which one request leads, 0 to 10000000; beyond it identical requests are routed each for itself.
    #[garde(range(max = 10_000_000))]
    pub leaders_max: usize,
}

impl Default for Answers {
    fn default() -> Self {
        let answers = AnswerPolicy::default();
        Self {
            bytes_max: answers.bytes_max,
            body_bytes_max: answers.body_bytes_max,
            reference_bytes_max: answers.reference_bytes_max,
            ttl: Ttl::default(),
            ttl_max: Span(answers.ttl_max),
            jitter: answers.jitter.get(),
            stale_for: Span(answers.stale_for),
            store_grace: Span(answers.store_grace),
            leaders_max: answers.leaders_max,
        }
    }
}

/// How long an answer is fresh.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(default, deny_unknown_fields)]
pub struct Ttl {
    /// How long text is fresh, 1ms to `ttl_max`.
    #[garde(custom(within(TICK, KEPT_MAX)))]
    pub text: Span,
    /// How long images are fresh, 1ms to `ttl_max`.
    #[garde(custom(within(TICK, KEPT_MAX)))]
    pub image: Span,
    /// How long transcripts and speech are fresh, 1ms to `ttl_max`.
    #[garde(custom(within(TICK, KEPT_MAX)))]
    pub audio: Span,
    /// How long embeddings are fresh, 1ms to `ttl_max`.
    #[garde(custom(within(TICK, KEPT_MAX)))]
    pub embedding: Span,
    /// How long videos are fresh, 1ms to `ttl_max`.
    #[garde(custom(within(TICK, KEPT_MAX)))]
    pub video: Span,
    /// How long rankings are fresh, 1ms to `ttl_max`.
    #[garde(custom(within(TICK, KEPT_MAX)))]
    pub rerank: Span,
    /// How long an answer stored as a fact is fresh, whatever its type, 1ms to `ttl_max`.
    #[garde(custom(within(TICK, KEPT_MAX)))]
    pub fact: Span,
    /// How long an answer stored as live is fresh, whatever its type, 1ms to `ttl_max`; it is never served stale.
    #[garde(custom(within(TICK, KEPT_MAX)))]
    pub live: Span,
}

impl Ttl {
    /// Every time to live with its key.
    pub fn all(&self) -> [(&'static str, Span); 8] {
        [
            ("text", self.text),
            ("image", self.image),
            ("audio", self.audio),
            ("embedding", self.embedding),
            ("video", self.video),
            ("rerank", self.rerank),
            ("fact", self.fact),
            ("live", self.live),
        ]
    }
}

impl Default for Ttl {
    fn default() -> Self {
        let AnswerPolicy { usual, fact, live, .. } = AnswerPolicy::default();
        Self {
            text: Span(usual.text),
            image: Span(usual.image),
            audio: Span(usual.audio),
            embedding: Span(usual.embedding),
            video: Span(usual.video),
            rerank: Span(usual.rerank),
            fact: Span(fact),
            live: Span(live),
        }
    }
}
