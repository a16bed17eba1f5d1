//! What do users ask for, and when?
//!
//! Decided before the run by one seed, so that both fleets get the very same requests at the very same moments.
//! Arrivals are a Poisson process whose rate switches between calm and bursts: real traffic is burstier than Poisson. Lengths are log-normal: most prompts and answers are short, a few are very long.

use std::time::Duration;

use fastrand::Rng;

use crate::domain::{node::RequestType, request::Tier};

/// Requests a second outside bursts.
const CALM_RATE: f64 = 34.0;
/// Requests a second in a burst.
const BURST_RATE: f64 = 86.0;
/// Mean length of a calm, in seconds.
const CALM_MEAN: f64 = 2.0;
/// Mean length of a burst, in seconds.
const BURST_MEAN: f64 = 0.7;
/// Share of requests by users who pay.
const PREMIUM_SHARE: f64 = 0.5;
/// Share of images among the requests.
const IMAGE_SHARE: f64 = 0.07;
/// Share of speech among the requests.
const AUDIO_SHARE: f64 = 0.13;
/// Users of each tier.
const USERS: u32 = 40;

/// Tokens of a prompt: median, spread (sigma of the logarithm) and the most.
const PROMPT: Length = Length { median: 300.0, sigma: 1.0, max: 6000.0 };
/// Tokens of an answer.
const ANSWER: Length = Length { median: 40.0, sigma: 0.8, max: 400.0 };
/// Seconds of speech.
const SPEECH: Length = Length { median: 10.0, sigma: 0.6, max: 60.0 };

/// A request that a user makes.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Arrival {
    /// Its place among the requests, from 0.
    pub(super) index: usize,
    /// When it comes, after the start of the run.
    pub(super) at: Duration,
    /// What its user pays for.
    pub(super) tier: Tier,
    /// Its user, such as `free-7`.
    pub(super) user: String,
    /// What it asks for.
    pub(super) work: Work,
}

/// What a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Work {
    /// An answer to a prompt, streamed.
    Text {
        /// Tokens of the prompt.
        prompt_tokens: u32,
        /// Tokens of the answer.
        answer_tokens: u32,
    },
    /// One image.
    Image,
    /// A transcript.
    Audio {
        /// Length of the recording, in seconds.
        seconds: u32,
    },
}

impl Work {
    /// The type under which it is routed.
    pub(super) fn request_type(self) -> RequestType {
        match self {
            Self::Text { .. } => RequestType::Text,
            Self::Image => RequestType::Image,
            Self::Audio { .. } => RequestType::Audio,
        }
    }

    /// Length of the prompt; `None` where there is none.
    pub(super) fn prompt_tokens(self) -> Option<u32> {
        match self {
            Self::Text { prompt_tokens, .. } => Some(prompt_tokens),
            Self::Image | Self::Audio { .. } => None,
        }
    }

    /// The model that it asks for.
    pub(super) fn model(self) -> &'static str {
        match self {
            Self::Text { .. } => "chat-8b",
            Self::Image => "draw-xl",
            Self::Audio { .. } => "listen-v3",
        }
    }
}

/// A long-tailed length.
#[derive(Debug, Clone, Copy)]
struct Length {
    median: f64,
    sigma: f64,
    max: f64,
}

impl Length {
    fn draw(self, rng: &mut Rng) -> u32 {
        let length = self.median * (self.sigma * gauss(rng)).exp();
        let length = length.clamp(1.0, self.max);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "from 1 to a few thousand"
        )]
        let whole = length as u32;
        whole
    }
}

/// Every request of a run of this length, in the order in which they come.
pub(super) fn arrivals(seed: u64, duration: Duration) -> Vec<Arrival> {
    // A generator each: a change to what is asked does not move when it is asked.
    let mut times = Rng::with_seed(seed);
    let mut kinds = Rng::with_seed(seed ^ 0x9e37_79b9_7f4a_7c15);
    let moments = moments(&mut times, duration.as_secs_f64());
    moments.into_iter().enumerate().map(|(index, at)| arrival(&mut kinds, index, at)).collect()
}

fn moments(rng: &mut Rng, end: f64) -> Vec<Duration> {
    let mut moments = Vec::new();
    let mut begin = 0.0;
    let mut phases = [(CALM_RATE, CALM_MEAN), (BURST_RATE, BURST_MEAN)].into_iter().cycle();
    while begin < end
        && let Some((rate, mean)) = phases.next()
    {
        // Around the mean, so that a short run sees its share of bursts whatever the seed.
        let until = end.min(begin + mean * (0.5 + rng.f64()));
        let mut at = begin + exponential(rng, 1.0 / rate);
        while at < until {
            moments.push(Duration::from_secs_f64(at));
            at += exponential(rng, 1.0 / rate);
        }
        begin = until;
    }
    moments
}

fn arrival(rng: &mut Rng, index: usize, at: Duration) -> Arrival {
    let tier = if rng.f64() < PREMIUM_SHARE { Tier::Premium } else { Tier::Free };
    let name = match tier {
        Tier::Premium => "premium",
        Tier::Free => "free",
    };
    let user = format!("{name}-{}", rng.u32(..USERS));
    Arrival { index, at, tier, user, work: work(rng) }
}

fn work(rng: &mut Rng) -> Work {
    let draw = rng.f64();
    if draw < IMAGE_SHARE {
        return Work::Image;
    }
    if draw < IMAGE_SHARE + AUDIO_SHARE {
        return Work::Audio { seconds: SPEECH.draw(rng) };
    }
    Work::Text { prompt_tokens: PROMPT.draw(rng), answer_tokens: ANSWER.draw(rng) }
}

fn exponential(rng: &mut Rng, mean: f64) -> f64 {
    -mean * (1.0 - rng.f64()).ln()
}

/// Box and Muller's transform of two uniform draws.
fn gauss(rng: &mut Rng) -> f64 {
    let radius = (-2.0 * (1.0 - rng.f64()).ln()).sqrt();
    radius * (std::f64::consts::TAU * rng.f64()).cos()
}

#[cfg(test)]
mod tests;
