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

    /// So many blocks more are used now.
    pub(super) fn add(&mut self, count: u32) {
        for sum in &mut self.sums {
            *sum += f64::from(count);
        }
    }

    /// So many blocks that were last used then are gone.
    pub(super) fn remove(&mut self, used: u32, count: u32) {
        let left = self.left(self.at.saturating_sub(used));
        for (sum, left) in self.sums.iter_mut().zip(left) {
            *sum = (*sum - f64::from(count) * left).max(0.0);
        }
    }

    /// No blocks: what rounding left is gone.
    pub(super) fn empty(&mut self) {
        self.sums = [0.0; TAUS.len()];
    }

    /// What is left of a use after so many ticks.
    fn left(&mut self, age: u32) -> [f64; TAUS.len()] {
        if self.known.0 != age {
            self.known = (age, fades(age));
        }
        self.known.1
    }
}

/// What is left of a use after so many ticks, for each span: as each is four times the next, one of them tells the others.
fn fades(age: u32) -> [f64; TAUS.len()] {
    let mut left = fade(age, TAUS[TAUS.len() - 1]);
    let mut all = [left; TAUS.len()];
    for shorter in all.iter_mut().rev().skip(1) {
        left = (left * left) * (left * left);
        *shorter = left;
    }
    all
}

/// What is left of a use after so many ticks.
pub(super) fn fade(age: u32, tau: f64) -> f64 {
    (-f64::from(age) / TICKS / tau).exp()
}
