//! What do the nodes of a board have in common?
//!
//! Counts and sums over the readings, for whoever must know of all nodes and need not look at each.

use crate::{
    domain::{node::BreakerState, policy::LoadPolicy},
    state::nodes::{reading::Reading, standing::Speeds, trust::Presence},
};

/// Counts and sums over the nodes of one board.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Census {
    /// Loads of live nodes that tell theirs.
    pub told: Sum,
    /// The same of those that do not.
    pub untold: Sum,
    /// Live nodes that tell enough for a cost in milliseconds.
    pub telling: usize,
    /// Nodes whose breakers are not closed.
    pub ejected: usize,
    /// Of these, those that may be tried.
    pub half_open: usize,
    /// Nodes that give no sign of life.
    pub silent: usize,
    /// Requests queued per capacity on the live node with the fewest.
    pub least_pressure: f64,
    /// Least speed of a live node that is known.
    least_speed: Option<f64>,
    known_speeds: Sum,
}

/// A sum, and of how many.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Sum {
    /// The sum.
    pub sum: f64,
    /// Of how many.
    pub count: usize,
}

impl Sum {
    /// The two together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self { sum: self.sum + other.sum, count: self.count + other.count }
    }

    /// The mean; `None` of none.
    pub fn mean(self) -> Option<f64> {
        (self.count > 0).then(|| self.sum / self.count as f64)
    }

    fn add(&mut self, number: f64) {
        self.sum += number;
        self.count += 1;
    }
}

impl Census {
    /// Of these nodes.
    pub fn of<'a>(readings: impl Iterator<Item = &'a Reading>, policy: &LoadPolicy) -> Self {
        let mut census = Self { least_pressure: f64::INFINITY, ..Self::default() };
        for reading in readings {
            census.take(reading, policy);
        }
        census
    }

    /// Live nodes.
    pub fn live(&self) -> usize {
        self.told.count + self.untold.count
    }

    /// Speeds of the live nodes.
    pub fn speeds(&self) -> Speeds {
        let unknown = self.live() - self.known_speeds.count;
        let least = self.least_speed.unwrap_or(Speeds::default().least);
        let sum = self.known_speeds.sum + unknown as f64 * least;
        Speeds { least, mean: if self.live() > 0 { sum / self.live() as f64 } else { least } }
    }

    fn take(&mut self, reading: &Reading, policy: &LoadPolicy) {
        self.ejected += usize::from(reading.breaker != BreakerState::Closed);
        self.half_open += usize::from(reading.breaker == BreakerState::HalfOpen);
        self.silent += usize::from(reading.presence == Presence::Silent);
        if reading.is_live() {
            self.take_live(reading, policy);
        }
    }

    fn take_live(&mut self, reading: &Reading, policy: &LoadPolicy) {
        let loads = if reading.tells { &mut self.told } else { &mut self.untold };
        loads.add(reading.load(policy).total());
        self.telling += usize::from(reading.tells_enough);
        self.least_pressure = self.least_pressure.min(reading.pressure());
        if let Some(speed) = reading.speed {
            self.known_speeds.add(speed);
            self.least_speed = Some(self.least_speed.map_or(speed, |least| least.min(speed)));
        }
    }
}
