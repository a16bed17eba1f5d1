//! How many of a node's blocks are likely to be wanted again?
//!
//! Each counts by how lately it was used, `exp(-age / tau)`: what nobody has asked for in a long while may be pushed
//! out at no loss. How long that is, differs from traffic to traffic, so the sum is kept for several `tau`.

/// Spans over which use is forgotten, in seconds.
pub(super) const TAUS: [f64; 6] = [30.0, 120.0, 480.0, 1920.0, 7680.0, 30_720.0];

/// What each is a multiple of the one before.
pub(super) const SPACING: f64 = 4.0;

/// Ticks of the clock of uses, a second.
pub(super) const TICKS: f64 = 16.0;

/// The sums over one node's blocks, at one moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lively {
    sums: [f64; TAUS.len()],
    at: u32,
    /// What the age that was asked for last has left of a use: blocks of one prompt are of one age.
    known: (u32, [f64; TAUS.len()]),
}

impl Default for Lively {
    fn default() -> Self {
        Self { sums: [0.0; TAUS.len()], at: 0, known: (0, [1.0; TAUS.len()]) }
    }
}

impl Lively {
    /// The sums, and the tick at which they were so.
    pub(super) fn sums(&self) -> ([f64; TAUS.len()], u32) {
        (self.sums, self.at)
    }

    /// Goes on to this tick; never back.
    pub(super) fn advance(&mut self, now: u32) {
        if now > self.at {
            let left = self.left(now - self.at);
            for (sum, left) in self.sums.iter_mut().zip(left) {
                *sum *= left;
            }
            self.at = now;
        }
    }

    /// One more block is used now.
    pub(super) fn add(&mut self) {
        for sum in &mut self.sums {
            *sum += 1.0;
        }
    }

    /// One block that was last used then is gone.
    pub(super) fn remove(&mut self, used: u32) {
        let left = self.left(self.at.saturating_sub(used));
        for (sum, left) in self.sums.iter_mut().zip(left) {
            *sum = (*sum - left).max(0.0);
        }
    }

    /// No blocks: what rounding left is gone.
    pub(super) fn empty(&mut self) {
        self.sums = [0.0; TAUS.len()];
    }

    /// What is left of a use after so many ticks.
    fn left(&mut self, age: u32) -> [f64; TAUS.len()] {
        if self.known.0 != age {
            self.known = (age, TAUS.map(|tau| fade(age, tau)));
        }
        self.known.1
    }
}

/// What is left of a use after so many ticks.
pub(super) fn fade(age: u32, tau: f64) -> f64 {
    (-f64::from(age) / TICKS / tau).exp()
}
