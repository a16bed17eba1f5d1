//! What a request is promised, and what became of it.

use crate::domain::digest::spread;

/// What a request is promised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tier {
    /// First token within 1 s and twice the ideal time; 200 ms a token.
    Interactive,
    /// First token within 3 s and four times the ideal time; 300 ms a token.
    Standard,
    /// First token within a minute.
    Batch,
}

impl Tier {
    /// Every tier with its name.
    pub const NAMES: [(Self, &'static str); 3] =
        [(Self::Interactive, "interactive"), (Self::Standard, "standard"), (Self::Batch, "batch")];

    /// The tier of a session: 60, 30 and 10 percent.
    pub(super) fn of_session(session: u32, seed: u64) -> Self {
        match spread(u64::from(session) ^ seed.rotate_left(32)) % 10 {
            0..6 => Self::Interactive,
            6..9 => Self::Standard,
            _ => Self::Batch,
        }
    }

    pub(super) fn first_token_ms(self, ideal_ms: f64) -> f64 {
        match self {
            Self::Interactive => 1000.0 + 2.0 * ideal_ms,
            Self::Standard => 3000.0 + 4.0 * ideal_ms,
            Self::Batch => 60_000.0,
        }
    }

    fn token_ms(self) -> f64 {
        match self {
            Self::Interactive => 200.0,
            Self::Standard => 300.0,
            Self::Batch => f64::INFINITY,
        }
    }
}

/// What became of one request.
#[derive(Debug, Clone, Copy)]
pub struct Fate {
    /// Row of the trace.
    pub row: usize,
    /// Its tier.
    pub tier: Tier,
    /// When it came, in microseconds.
    pub arrived: u64,
    /// Time for the tokens that no cache could have saved, on a node of its own, in ms.
    pub ideal_ms: f64,
    /// Its first token, if one came.
    pub first_token: Option<u64>,
    /// Its end, if it was answered.
    pub finished: Option<u64>,
    /// Tokens of its prompt that were cached.
    pub cached: u32,
    /// Whether it was refused.
    pub refused: bool,
    /// Where it went last.
    pub node: usize,
    pub(super) replica: usize,
    pub(super) expected_cached: u32,
    pub(super) ticket: u64,
}

impl Fate {
    /// First-token latency in ms, if the first token came.
    pub fn first_token_ms(&self) -> Option<f64> {
        self.first_token.map(|at| (at - self.arrived) as f64 / 1000.0)
    }

    /// Time per further token in ms.
    pub fn token_ms(&self, output: u32) -> Option<f64> {
        let further = f64::from(output.saturating_sub(1));
        let span = (self.finished? - self.first_token?) as f64 / 1000.0;
        Some(if further > 0.0 { span / further } else { 0.0 })
    }

    /// Whether it got what its tier is promised.
    pub fn in_time(&self, output: u32) -> bool {
        self.first_token_in_time() && self.token_ms(output).is_some_and(|ms| ms <= self.tier.token_ms())
    }

    /// Whether its first token came in time.
    pub fn first_token_in_time(&self) -> bool {
        self.first_token_ms().is_some_and(|ms| ms <= self.tier.first_token_ms(self.ideal_ms))
    }
}
