//! How long does a node need for one step?
//!
//! `step = linear(tokens) + a · Σ chunk · context + r · Σ context of decoding sequences + 0.126 ms + 0.004 ms a sequence`
//!
//! `linear` goes through measured points. The calibration is of Vidur's kernel profiles (linear), of floating-point
//! operations at 45 to 50 % of peak (`a`), of bytes of key-value cache over bandwidth (`r`), and of BLIS's fitted
//! overheads. It ranks policies; it does not foretell milliseconds.

/// Measured points of a node's step time.
pub const POINTS: usize = 6;
/// Most sequences at once, unless a fleet says otherwise.
pub const SEQUENCES: u32 = 256;

/// Overhead of a step, in ms.
const STEP_MS: f64 = 0.126;
/// Overhead of each sequence in it, in ms.
const SEQUENCE_MS: f64 = 0.004;

/// What a node computes with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hardware {
    /// Its name in fleet files.
    pub name: &'static str,
    /// Milliseconds of a step by its tokens, in between in proportion. The last one is of as many tokens as a step can have;
    /// where fewer are known it is repeated.
    pub points: [(u32, f64); POINTS],
    /// Milliseconds for each token and each token of its context.
    pub attention: f64,
    /// Milliseconds for each token of context that a decoding sequence reads.
    pub kv_read: f64,
    /// Tokens that the key-value cache holds.
    pub kv_tokens: u32,
    /// Sequences that it runs at once.
    pub sequences: u32,
    /// Nodes that it stands for: more than one where a fleet is taken as one wide node.
    pub width: u32,
}

/// The hardware that is known, by name.
pub const HARDWARE: [Hardware; 3] = [
    Hardware {
        name: "h100x4-70b",
        points: [(1, 16.9), (128, 21.4), (256, 27.6), (512, 42.1), (1024, 81.2), (2048, 149.0)],
        attention: 1.32e-6,
        kv_read: 4.65e-5,
        kv_tokens: 412_000,
        sequences: SEQUENCES,
        width: 1,
    },
    Hardware {
        name: "a100x4-70b",
        points: [(1, 28.0), (128, 42.6), (256, 66.6), (512, 113.8), (1024, 227.7), (2048, 409.3)],
        attention: 4.67e-6,
        kv_read: 7.6e-5,
        kv_tokens: 412_000,
        sequences: SEQUENCES,
        width: 1,
    },
    Hardware {
        name: "a100-8b",
        points: [(1, 9.8), (128, 13.5), (256, 20.0), (512, 35.5), (1024, 77.2), (2048, 145.7)],
        attention: 3.7e-6,
        kv_read: 1.22e-4,
        kv_tokens: 412_000,
        sequences: SEQUENCES,
        width: 1,
    },
];

impl Hardware {
    /// The hardware of this name.
    pub fn named(name: &str) -> Option<Self> {
        HARDWARE.into_iter().find(|hardware| hardware.name == name)
    }

    /// The same with a key-value cache of so many tokens.
    #[must_use]
    pub fn with_memory(self, kv_tokens: u32) -> Self {
        Self { kv_tokens, ..self }
    }

    /// Most tokens of one step.
    pub fn step_tokens(&self) -> u32 {
        self.points[POINTS - 1].0 * self.width
    }

    /// Most sequences at once.
    pub fn sequences_max(&self) -> usize {
        (self.sequences * self.width) as usize
    }

    /// Milliseconds of one step without its contexts.
    pub fn step_ms(&self, tokens: u32, sequences: usize) -> f64 {
        let width = f64::from(self.width);
        self.linear_ms((f64::from(tokens) / width).max(1.0))
            + STEP_MS
            + SEQUENCE_MS * sequences as f64 / width
    }

    /// Milliseconds that a lone prompt takes when so many of its tokens must be computed and so many are there.
    pub fn prefill_ms(&self, tokens: u32, cached: u32) -> f64 {
        let (mut left, mut context, mut ms) = (tokens, f64::from(cached), 0.0);
        while left > 0 {
            let chunk = left.min(self.step_tokens());
            ms += self.step_ms(chunk, 1) + self.attention_ms(chunk, context);
            context += f64::from(chunk);
            left -= chunk;
        }
        ms
    }

    /// Milliseconds for the contexts of a chunk of a prompt that stands after so many tokens.
    pub fn attention_ms(&self, chunk: u32, context: f64) -> f64 {
        let chunk = f64::from(chunk);
        self.attention * chunk * (context + chunk / 2.0)
    }

    fn linear_ms(&self, tokens: f64) -> f64 {
        let reaches = |point: &(u32, f64)| tokens <= f64::from(point.0);
        let upper = self.points.iter().position(reaches).unwrap_or(POINTS - 1).max(1);
        let [(less, low_ms), (more, high_ms)] = [self.points[upper - 1], self.points[upper]];
        low_ms + (high_ms - low_ms) * (tokens - f64::from(less)) / f64::from(more - less)
    }

    /// The node that so many of these would be as one.
    #[must_use]
    pub fn pooled(self, nodes: u32) -> Self {
        let wide = f64::from(nodes);
        Self {
            attention: self.attention / wide,
            kv_read: self.kv_read / wide,
            kv_tokens: self.kv_tokens.saturating_mul(nodes),
            width: self.width * nodes,
            ..self
        }
    }
}
