//! What do known answers, limits and degradation do in a rush?
//!
//! The second act of the demo: the same rush hour for two services, one with all three and one without. Questions repeat,
//! one free user asks twenty times within a second, and in the middle more comes than the nodes can do. What is compared
//! is what had to be computed, and how long those wait who pay.

mod hour;
mod table;
mod visitor;

use std::{sync::Arc, time::Duration};

use serde::Serialize;
use tokio::{
    task::JoinSet,
    time::{Instant, sleep_until},
};

use super::{
    DemoError,
    fleet::Fleet,
    progress::say,
    tally::{Percentiles, percentiles},
};
use hour::{Kind, PEAK, Phase, Visit};
use visitor::{End, Visited, Visitor};

/// What came of the rush, without the three and with them.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Rush {
    /// Nothing is remembered, limited or turned away.
    pub without: Side,
    /// The defaults.
    pub with: Side,
}

/// What one service did.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Side {
    /// Requests that came.
    pub requests: usize,
    /// Given from what was known.
    pub known: usize,
    /// Sent to a node.
    pub computed: usize,
    /// Of the one user that asks twenty times a second: refused by its limit.
    pub limited: usize,
    /// Whether it was served when it came back as it was told; `None` if it never was refused.
    pub served_when_told: Option<bool>,
    /// Requests of low priority that were turned away for the load.
    pub turned_away: usize,
    /// Requests of premium users that were not answered.
    pub premium_unanswered: usize,
    /// First-token latency of premium users outside the peak.
    pub premium_calm: Option<Percentiles>,
    /// The same in the peak.
    pub premium_peak: Option<Percentiles>,
}

/// Sends the rush to both.
pub(super) async fn run(seed: u64) -> Result<Rush, DemoError> {
    let plain = Fleet::start_plain().await?;
    let full = Fleet::start_full().await?;
    let visits = hour::visits(seed);
    say(&format!(
        "Then a rush of {} requests over {:.0} s, for one service without and one with known answers, limits and \
         degradation.",
        visits.len(),
        hour::END.as_secs_f64()
    ));
    let visitors =
        [Visitor::new(&plain, visitor::Shares::No).await?, Visitor::new(&full, visitor::Shares::Yes).await?];
    let [without, with] = send(visitors, &visits).await?;
    plain.end().await?;
    full.end().await?;
    Ok(Rush { without, with })
}

async fn send(visitors: [Arc<Visitor>; 2], visits: &[Visit]) -> Result<[Side; 2], DemoError> {
    let begin = Instant::now();
    let mut running = [JoinSet::new(), JoinSet::new()];
    for visit in visits {
        sleep_until(begin + visit.at).await;
        for (visitor, running) in visitors.iter().zip(&mut running) {
            running.spawn(Arc::clone(visitor).visit(visit.clone(), begin + visit.at));
        }
    }
    let mut sides = [Vec::new(), Vec::new()];
    for (mut running, side) in running.into_iter().zip(&mut sides) {
        while let Some(visited) = running.join_next().await {
            side.push(visited?);
        }
    }
    Ok(sides.map(|visited| side(&visited)))
}

fn side(visited: &[Visited]) -> Side {
    let count = |wanted: &dyn Fn(&Visited) -> bool| visited.iter().filter(|visited| wanted(visited)).count();
    let premium = |phase: Phase| {
        let wanted =
            visited.iter().filter(move |v| v.visit.kind == Kind::Premium && v.visit.phase() == phase);
        percentiles(wanted.filter_map(|v| v.end.first_token()))
    };
    Side {
        requests: visited.len(),
        known: count(&|v| v.end == End::Known),
        computed: count(&|v| matches!(v.end, End::Answered(_))),
        limited: count(&|v| matches!(v.end, End::OverLimit(_))),
        served_when_told: visited.iter().find_map(|v| v.served_when_told),
        turned_away: count(&|v| v.visit.kind == Kind::Low && v.end == End::Busy),
        premium_unanswered: count(&|v| v.visit.kind == Kind::Premium && !v.end.is_answer()),
        premium_calm: premium(Phase::Calm),
        premium_peak: premium(Phase::Peak),
    }
}

/// How long the peak lasts, for people.
fn peak() -> Duration {
    PEAK.end.saturating_sub(PEAK.start)
}

#[cfg(test)]
mod tests;
