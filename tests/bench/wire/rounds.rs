//! In what order is measured, so that noise falls on all alike?
//!
//! Rounds are outermost, cases inside them, servers inside those, in an order that turns with each round.

use std::{sync::Arc, time::Duration};

use super::{
    asks::Asks,
    case::{Case, Scale, Work},
    child::Child,
    cpu,
    load::Load,
    said::Failure,
    server::{BASE, FULL, NOOP, asked_role},
};

/// Between two windows all leases end at once, and their memory would go back to the system, only to be asked for again. In a
/// service leases end as others begin.
const KEEPS_MEMORY: (&str, &str) = ("MIMALLOC_PURGE_DELAY", "-1");

/// What one window of one server showed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Figures {
    /// Picks a second.
    pub(crate) rate: f64,
    /// Time that the server's threads ran for a pick, in microseconds.
    pub(crate) cpu_us: f64,
    /// Median latency of a call, in microseconds.
    pub(crate) p50_us: f64,
    /// Latency of a call that a hundredth exceeds, in microseconds.
    pub(crate) p99_us: f64,
}

/// A case's windows of one round.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pair {
    /// Of the server that does nothing.
    pub(crate) noop: Figures,
    /// Of Pointsman.
    pub(crate) ours: Figures,
}

/// The three servers.
struct Servers {
    noop: Child,
    base: Child,
    full: Child,
}

/// For each case, what each round showed.
pub(crate) fn measure(cases: &[Case], scale: Scale) -> Result<Vec<Vec<Pair>>, Failure> {
    let start = |role| Child::start(&asked_role(role), &[KEEPS_MEMORY]);
    let mut servers = Servers { noop: start(NOOP)?, base: start(BASE)?, full: start(FULL)? };
    let asks: Vec<_> = cases.iter().map(|case| Arc::new(Asks::new(case.work, case.call))).collect();
    let mut measured = vec![Vec::new(); cases.len()];
    for round in 0..scale.rounds() {
        for (index, case) in cases.iter().enumerate() {
            measured[index].push(servers.pair(*case, &asks[index], scale.window(), round)?);
        }
    }
    Ok(measured)
}

impl Servers {
    fn pair(
        &mut self,
        case: Case,
        asks: &Arc<Asks>,
        length: Duration,
        round: usize,
    ) -> Result<Pair, Failure> {
        let ours = match case.work {
            Work::Base => &mut self.base,
            Work::Full => &mut self.full,
        };
        if round.is_multiple_of(2) {
            let noop = window(&mut self.noop, case, asks, length)?;
            return Ok(Pair { noop, ours: window(ours, case, asks, length)? });
        }
        let ours = window(ours, case, asks, length)?;
        Ok(Pair { ours, noop: window(&mut self.noop, case, asks, length)? })
    }
}

/// Loads one server: for a fifth of the time to warm it up, then for what counts.
fn window(child: &mut Child, case: Case, asks: &Arc<Asks>, length: Duration) -> Result<Figures, Failure> {
    child.clean()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let load = Load::new(child.address, case, Arc::clone(asks)).await?;
        load.run(length / 5).await?;
        let before = cpu::of(&child.id)?;
        let mut window = load.run(length).await?;
        let cpu = cpu::of(&child.id)? - before;
        window.latencies.sort_unstable();
        Ok(Figures {
            rate: window.picks as f64 / window.elapsed.as_secs_f64(),
            cpu_us: cpu as f64 / 1000.0 / window.picks as f64,
            p50_us: at(&window.latencies, 0.5),
            p99_us: at(&window.latencies, 0.99),
        })
    })
}

/// The latency that this share of all does not exceed, in microseconds.
fn at(sorted: &[u64], share: f64) -> f64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of the length")]
    let index = (sorted.len() as f64 * share) as usize;
    sorted.get(index).or(sorted.last()).map_or(0.0, |nanos| *nanos as f64 / 1000.0)
}
