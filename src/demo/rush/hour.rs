//! Who comes in the rush, and when?
//!
//! Decided before the run by one seed. Premium and ordinary users come all the time; in the peak many more come whose
//! requests can wait. A third of all questions is one of a few that everybody asks.

use std::{ops::Range, time::Duration};

use fastrand::Rng;

/// How long requests come.
pub(super) const END: Duration = Duration::from_secs(11);
/// When more comes than the nodes can do.
pub(super) const PEAK: Range<Duration> = Duration::from_secs(3)..Duration::from_secs(9);
/// When one user asks twenty times within a second.
const GREEDY: Duration = Duration::from_secs(1);
const GREEDY_REQUESTS: u32 = 20;
/// Requests a second of each kind; the nodes can do about 43 together.
const PREMIUM_RATE: f64 = 6.0;
const NORMAL_RATE: f64 = 8.0;
const LOW_RATE: f64 = 50.0;
/// Share of questions that everybody asks, and how many there are of them.
const POPULAR_SHARE: f64 = 1.0 / 3.0;
const POPULAR: u32 = 5;

/// One request of the rush.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Visit {
    /// When it comes, after the start.
    pub(super) at: Duration,
    /// Whose it is.
    pub(super) kind: Kind,
    /// Names it and its user.
    pub(super) number: u32,
    /// What it asks; the same number is the same question.
    pub(super) question: u32,
}

/// Whose request it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Of a user who pays.
    Premium,
    /// Of one who does not.
    Normal,
    /// Of one who does not, and that can wait.
    Low,
    /// Of the one user who asks too much; the last one comes back when told.
    Greedy,
}

/// When it came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Outside the peak.
    Calm,
    /// Within.
    Peak,
}

impl Visit {
    pub(super) fn phase(&self) -> Phase {
        if PEAK.contains(&self.at) { Phase::Peak } else { Phase::Calm }
    }

    /// Everybody is a user of their own, but for the greedy one.
    pub(super) fn user(&self) -> String {
        match self.kind {
            Kind::Greedy => "greedy".to_owned(),
            _ => format!("user-{}", self.number),
        }
    }

    /// Whether it is the one that comes back when told.
    pub(super) fn comes_back(&self) -> bool {
        self.kind == Kind::Greedy && self.number == GREEDY_REQUESTS - 1
    }
}

/// Every request, in the order in which they come.
pub(super) fn visits(seed: u64) -> Vec<Visit> {
    let mut rng = Rng::with_seed(seed);
    let mut visits = Vec::new();
    let greedy = |i: u32| (GREEDY + Duration::from_secs(1) * i / GREEDY_REQUESTS, Kind::Greedy, i);
    let mut moments: Vec<_> = (0..GREEDY_REQUESTS).map(greedy).collect();
    for (kind, rate, during) in [
        (Kind::Premium, PREMIUM_RATE, Duration::ZERO..END),
        (Kind::Normal, NORMAL_RATE, Duration::ZERO..END),
        (Kind::Low, LOW_RATE, PEAK),
    ] {
        let mut at = during.start.as_secs_f64();
        while at < during.end.as_secs_f64() {
            let number = GREEDY_REQUESTS + u32::try_from(moments.len()).unwrap_or(u32::MAX);
            moments.push((Duration::from_secs_f64(at), kind, number));
            // Around the mean: neither in step nor in bursts, so that every seed sees the same rush.
            at += (0.5 + rng.f64()) / rate;
        }
    }
    moments.sort_unstable_by_key(|(at, ..)| *at);
    for (at, kind, number) in moments {
        let popular = rng.f64() < POPULAR_SHARE;
        let question = if popular { rng.u32(..POPULAR) } else { POPULAR + number };
        visits.push(Visit { at, kind, number, question });
    }
    visits
}
