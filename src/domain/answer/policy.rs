//! How long answers are kept, and how much memory they may take.

use std::time::Duration;

use super::{AnswerBody, Lifetime, NewAnswer, StoreRefusal, Volatility};
use crate::domain::{
    load::Ratio,
    node::RequestType,
    time::{Chance, Instant},
};

/// How answers are kept.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AnswerPolicy {
    /// Memory of all answers together, with what it takes to find them. Read once, at the start: another value in a
    /// reload needs a restart.
    pub bytes_max: u64,
    /// Longest inline answer, in bytes.
    pub body_bytes_max: usize,
    /// Longest reference, in bytes.
    pub reference_bytes_max: usize,
    /// How long answers of usual volatility are fresh.
    pub usual: UsualTtl,
    /// How long facts are fresh.
    pub fact: Duration,
    /// How long answers of the moment are fresh.
    pub live: Duration,
    /// The longest that a store may ask for, before jitter; a longer time is cut to it.
    pub ttl_max: Duration,
    /// A time to live varies by up to this share either way, so that what was stored together does not expire together.
    pub jitter: Ratio,
    /// How long an expired answer may still be served to those who would get nothing better.
    pub stale_for: Duration,
    /// After a leader ended well the others wait so long for its answer to be stored.
    pub store_grace: Duration,
    /// Most questions with a leader at one time; beyond it identical requests are routed each for itself.
    pub leaders_max: usize,
}

impl Default for AnswerPolicy {
    fn default() -> Self {
        Self {
            bytes_max: 256 << 20,
            body_bytes_max: 64 << 10,
            reference_bytes_max: 1024,
            usual: UsualTtl::default(),
            fact: Duration::from_hours(24),
            live: Duration::from_secs(30),
            ttl_max: Duration::from_hours(7 * 24),
            jitter: Ratio::try_new(0.1).expect("a tenth is a ratio"),
            stale_for: Duration::from_mins(10),
            store_grace: Duration::from_secs(2),
            leaders_max: 100_000,
        }
    }
}

impl AnswerPolicy {
    /// How long an answer that is stored now lasts. One throw of the dice.
    pub fn lifetime(
        &self,
        request_type: RequestType,
        answer: &NewAnswer,
        now: Instant,
        chance: &mut Chance,
    ) -> Lifetime {
        let ttl = answer.ttl.unwrap_or_else(|| self.ttl(request_type, answer.volatility)).min(self.ttl_max);
        let either_way = 2.0 * chance.f64() - 1.0;
        let fresh_until = now + ttl.mul_f64(1.0 + self.jitter.get() * either_way);
        Lifetime { fresh_until, stale_until: fresh_until + self.stale_for(answer.volatility) }
    }

    /// Whether an answer is short enough to be kept.
    pub fn check(&self, body: &AnswerBody) -> Result<(), StoreRefusal> {
        match body {
            AnswerBody::Inline(inline) if inline.bytes.len() > self.body_bytes_max => {
                Err(StoreRefusal::BodyTooLong { bytes: inline.bytes.len(), bytes_max: self.body_bytes_max })
            }
            AnswerBody::Reference(name) if name.len() > self.reference_bytes_max => {
                Err(StoreRefusal::ReferenceTooLong { bytes: name.len(), bytes_max: self.reference_bytes_max })
            }
            AnswerBody::Inline(_) | AnswerBody::Reference(_) => Ok(()),
        }
    }

    fn ttl(&self, request_type: RequestType, volatility: Volatility) -> Duration {
        match volatility {
            Volatility::Usual => self.usual.of(request_type),
            Volatility::Fact => self.fact,
            Volatility::Live => self.live,
        }
    }

    /// What was true for a moment is worse ten minutes later than no answer.
    fn stale_for(&self, volatility: Volatility) -> Duration {
        match volatility {
            Volatility::Usual | Volatility::Fact => self.stale_for,
            Volatility::Live => Duration::ZERO,
        }
    }
}

/// Usual time to live of each request type: long for what is a function of its input alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UsualTtl {
    /// Text is sampled, and people notice when the same question gets the same words for long.
    pub text: Duration,
    /// Images are sampled too, and cost more.
    pub image: Duration,
    /// Transcription and speech.
    pub audio: Duration,
    /// The same input has the same vector for as long as the model stays.
    pub embedding: Duration,
    /// As images.
    pub video: Duration,
    /// The same documents have the same order for as long as the model stays.
    pub rerank: Duration,
}

impl UsualTtl {
    /// The one of this type.
    pub fn of(&self, request_type: RequestType) -> Duration {
        match request_type {
            RequestType::Text => self.text,
            RequestType::Image => self.image,
            RequestType::Audio => self.audio,
            RequestType::Embedding => self.embedding,
            RequestType::Video => self.video,
            RequestType::Rerank => self.rerank,
        }
    }
}

impl Default for UsualTtl {
    fn default() -> Self {
        let hour = Duration::from_hours(1);
        let day = 24 * hour;
        let text = Duration::from_mins(10);
        Self { text, image: hour, audio: hour, embedding: day, video: hour, rerank: day }
    }
}

#[cfg(test)]
mod tests;
