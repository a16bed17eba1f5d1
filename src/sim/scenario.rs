//! What is simulated: a trace, a fleet, a speed, and what goes wrong. Each policy gets the same.

use std::{num::NonZeroU32, time::Duration};

use thiserror::Error;

use super::{
    clock::micros,
    decider::for_simulation,
    engine::hardware::Hardware,
    faults::Fault,
    figures::{Run, first_tokens_in_time},
    player::Player,
    replay::{Replay, Replayed, Router, replay},
    trace::Trace,
};
use crate::domain::policy::{Balance, Policy};

/// Share of first tokens that perfect information keeps in time at saturation.
const SATURATED: f64 = 0.9;
/// Doublings of the speed before a trace is said never to saturate the fleet, and halvings before it is said always to: a
/// trace that is played slowly takes long.
const DOUBLINGS: u32 = 14;
const SLOWEST: u32 = 6;
/// Halvings of the span in which the saturation lies.
const HALVINGS: u32 = 7;

/// What is simulated.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// The service's policy; its balance is replaced by the contestant's.
    pub policy: Policy,
    /// Hardware of each node; at least one.
    pub fleet: Vec<Hardware>,
    /// Time between a node's reports.
    pub report_interval: Duration,
    /// Time until a report arrives.
    pub report_delay: Duration,
    /// Deciders that share nothing; requests are dealt to them at random.
    pub replicas: usize,
    /// What goes wrong.
    pub faults: Vec<Fault>,
    /// Makes chance repeatable.
    pub seed: u64,
}

/// Who decides in a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Contestant {
    /// One of the service's policies.
    Policy(Balance),
    /// Expected cost that knows each node as it is in this moment.
    Perfect,
    /// One node as wide as the fleet, with one queue and one memory.
    Pooled,
}

impl Contestant {
    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Policy(balance) => balance.name(),
            Self::Perfect => "perfect",
            Self::Pooled => "pooled",
        }
    }

    /// The one of this name.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "perfect" => Some(Self::Perfect),
            "pooled" => Some(Self::Pooled),
            _ => Balance::NAMES
                .iter()
                .find(|(_, known)| *known == name)
                .map(|(balance, _)| Self::Policy(*balance)),
        }
    }
}

/// A trace has no saturation on this fleet.
#[derive(Debug, Clone, Copy, PartialEq, Error)]
pub enum SaturationError {
    /// Even at its slowest.
    #[error(
        "the fleet cannot keep nine in ten first tokens in time however slowly the trace is played; give `--speed`, or more nodes"
    )]
    Always,
    /// Even at its fastest.
    #[error("the trace never saturates the fleet, however fast it is played; give `--speed`, or fewer nodes")]
    Never,
}

impl Scenario {
    /// Plays the trace so many times faster than it was recorded.
    pub fn run(&self, trace: &Trace, speed: f64, contestant: Contestant) -> Run {
        Run::of(contestant.name(), trace, &self.play(trace, speed, contestant))
    }

    /// The speed at which perfect information keeps just nine in ten first tokens in time, found by bisection.
    pub fn saturation(&self, trace: &Trace, mut step: impl FnMut()) -> Result<f64, SaturationError> {
        let calm = Self { faults: Vec::new(), replicas: 1, ..self.clone() };
        let mut keeps = |speed| {
            step();
            first_tokens_in_time(&calm.play(trace, speed, Contestant::Perfect)) >= SATURATED
        };
        let starts_well = keeps(1.0);
        let factor = if starts_well { 2.0 } else { 0.5 };
        let tries = if starts_well { DOUBLINGS } else { SLOWEST };
        let speeds = (1..=tries).map(|times| f64::powi(factor, times.cast_signed()));
        let turned = speeds.into_iter().find(|speed| keeps(*speed) != starts_well);
        let lasting = if starts_well { SaturationError::Never } else { SaturationError::Always };
        let found = turned.ok_or(lasting)?;
        let (mut low, mut high) = if starts_well { (found / 2.0, found) } else { (found, found * 2.0) };
        for _ in 0..HALVINGS {
            let middle = f64::midpoint(low, high);
            if keeps(middle) { low = middle } else { high = middle }
        }
        Ok(low)
    }

    fn play(&self, trace: &Trace, speed: f64, contestant: Contestant) -> Replayed {
        let mut policy = for_simulation(self.policy.clone(), block_tokens(trace));
        policy.balance = match contestant {
            Contestant::Policy(balance) => balance,
            Contestant::Perfect | Contestant::Pooled => Balance::ExpectedCost,
        };
        let settings = Replay {
            fleet: self.fleet_of(contestant),
            speed,
            report_interval_us: micros(self.report_interval),
            report_delay_us: micros(self.report_delay),
            faults: if contestant == Contestant::Pooled { Vec::new() } else { self.faults.clone() },
            seed: self.seed,
            perfect: contestant == Contestant::Perfect,
        };
        let player = |replica| {
            Player::new(policy.clone(), &settings.fleet, self.seed.rotate_left(20) ^ replica as u64)
        };
        let mut players: Vec<Player> = (0..self.replicas.max(1)).map(player).collect();
        let mut routers: Vec<&mut dyn Router> =
            players.iter_mut().map(|player| player as &mut dyn Router).collect();
        replay(trace, &settings, &mut routers)
    }

    fn fleet_of(&self, contestant: Contestant) -> Vec<Hardware> {
        match (contestant, self.fleet.first()) {
            (Contestant::Pooled, Some(first)) => {
                vec![first.pooled(u32::try_from(self.fleet.len()).unwrap_or(u32::MAX))]
            }
            _ => self.fleet.clone(),
        }
    }
}

fn block_tokens(trace: &Trace) -> NonZeroU32 {
    NonZeroU32::new(trace.block_tokens).unwrap_or(NonZeroU32::MIN)
}

#[cfg(test)]
mod tests;
