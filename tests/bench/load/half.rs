//! How steady are picks where half of what the service can do is asked of it?

use std::time::Duration;

use super::{
    Bar, Figure, block_on,
    child::Child,
    median,
    pace::{Clients, percentile},
    said::Failure,
    server::{NOOP, SERVICE},
};

const IN_FLIGHT: u32 = 32;
const WINDOW: Duration = Duration::from_secs(2);
/// Odd, so that a median is one of them.
const ROUNDS: usize = 7;

/// p99 of picks at half of the peak, over the median of the empty call at the same rate.
pub(crate) fn row() -> Result<Vec<Figure>, Failure> {
    let (mut service, noop) = (Child::start(SERVICE, &[])?, Child::start(NOOP, &[])?);
    block_on(async {
        let (picks, calls) =
            (Clients::connect(service.address).await?, Clients::connect(noop.address).await?);
        calls.peak(IN_FLIGHT, WINDOW).await?;
        let rate = picks.peak(IN_FLIGHT, WINDOW).await? / 2.0;
        let (mut p99, mut p50) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            service.clean()?;
            p99.push(percentile(&picks.at_rate(rate, IN_FLIGHT, WINDOW).await?, 99));
            p50.push(percentile(&calls.at_rate(rate, IN_FLIGHT, WINDOW).await?, 50));
        }
        let (p99, p50) = (median(p99), median(p50));
        let detail = format!("p99 {p99:.0} us, p50 of the empty call {p50:.0} us, at {rate:.0} a second");
        Ok(vec![Figure { name: "half.p99_ratio", figure: p99 / p50, bar: Bar::AtMost(3.0), detail }])
    })
}
