//! What became of the picks, from moment to moment?

use std::time::Duration;

use super::super::pace::percentile;

/// Length of a moment.
pub(crate) const MOMENT: Duration = Duration::from_millis(250);

/// What gateways saw, moment by moment since the storm began.
#[derive(Debug, Default)]
pub(crate) struct Tally(Vec<Moment>);

/// What gateways saw in one moment.
#[derive(Debug, Default, Clone)]
pub(crate) struct Moment {
    /// Requests that began.
    pub(crate) begun: u32,
    /// Attempts that went over the wire.
    pub(crate) sent: u32,
    /// Attempts for which there was no free stream, or no room on the connection.
    pub(crate) held: u32,
    /// Attempts whose time passed on the wire.
    pub(crate) late: u32,
    /// Attempts that were answered with something other than a route, or not at all.
    pub(crate) refused: u32,
    /// Connections that the service ended.
    pub(crate) ended: u32,
    /// Requests that got their route in time.
    pub(crate) good: u32,
    /// Of the requests that began in this moment: microseconds until the route came, infinite where it did not.
    latencies: Vec<f64>,
}

impl Tally {
    /// The moment in which something happened, so long after the start.
    pub(super) fn at(&mut self, since: Duration) -> &mut Moment {
        let index = index(since);
        if self.0.len() <= index {
            self.0.resize(index + 1, Moment::default());
        }
        &mut self.0[index]
    }

    /// A request that began then has come to its end; `None` for a bad one.
    pub(super) fn done(&mut self, begun: Duration, took: Option<Duration>) {
        if let Some(took) = took {
            self.at(begun + took).good += 1;
        }
        self.at(begun).latencies.push(took.map_or(f64::INFINITY, |took| took.as_secs_f64() * 1e6));
    }

    /// Together with what another gateway saw.
    pub(super) fn add(&mut self, other: Self) {
        for (number, mut moment) in (0..).zip(other.0) {
            let into = self.at(MOMENT * number);
            into.begun += moment.begun;
            into.sent += moment.sent;
            into.held += moment.held;
            into.late += moment.late;
            into.refused += moment.refused;
            into.ended += moment.ended;
            into.good += moment.good;
            into.latencies.append(&mut moment.latencies);
        }
    }

    /// All of a span of time as one moment.
    pub(crate) fn within(&self, from: Duration, length: Duration) -> Moment {
        let mut span = Tally::default();
        for moment in self.moments(from, length) {
            span.add(Tally(vec![moment.clone()]));
        }
        span.0.pop().unwrap_or_default()
    }

    /// The moments of a span of time.
    pub(crate) fn moments(&self, from: Duration, length: Duration) -> impl Iterator<Item = &Moment> {
        self.0.iter().skip(index(from)).take(index(length))
    }
}

/// The number of a moment. Not in 128 bits, which would cost more than the rest.
fn index(time: Duration) -> usize {
    let (second, moment) = (1000 / MOMENT.subsec_millis(), time.subsec_millis() / MOMENT.subsec_millis());
    usize::try_from(time.as_secs() * u64::from(second) + u64::from(moment)).unwrap_or_default()
}

impl Moment {
    /// Microseconds that 99 of 100 requests did not exceed from their beginning to their route.
    pub(crate) fn p99(&self) -> f64 {
        let mut ascending = self.latencies.clone();
        ascending.sort_by(f64::total_cmp);
        if ascending.is_empty() { f64::INFINITY } else { percentile(&ascending, 99) }
    }
}
