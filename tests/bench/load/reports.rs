//! Do reports of a large fleet hold up picks?

use std::time::Duration;

use super::{
    Bar, Figure, block_on,
    child::Child,
    median,
    pace::{Clients, percentile},
    said::Failure,
    server::{EMPTY, REPORTERS},
};

/// Picks a second: far from what the service can do.
const RATE: f64 = 2000.0;
const IN_FLIGHT: u32 = 32;
const WINDOW: Duration = Duration::from_secs(2);
/// Odd, so that a median is one of them.
const ROUNDS: usize = 7;

/// p99 of picks while 1,000 nodes report every 100 ms: over that without reports; and over that while they report to another
/// service on this machine. There the same processors do the same work, so this one tells what it does to picks that it is done
/// where they are made.
pub(crate) fn row() -> Result<Vec<Figure>, Failure> {
    let (service, other) = (Child::start(EMPTY, &[])?, Child::start(EMPTY, &[])?);
    let mut reporters = Child::start(&format!("{REPORTERS}{}", service.address), &[])?;
    let mut elsewhere = Child::start(&format!("{REPORTERS}{}", other.address), &[])?;
    block_on(async {
        let clients = Clients::connect(service.address).await?;
        clients.at_rate(RATE, IN_FLIGHT, WINDOW).await?;
        let (mut quiet, mut beside, mut noise) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            quiet.push(percentile(&clients.at_rate(RATE, IN_FLIGHT, WINDOW).await?, 99));
            // Each word begins or ends the reports.
            reporters.clean()?;
            beside.push(percentile(&clients.at_rate(RATE, IN_FLIGHT, WINDOW).await?, 99));
            reporters.clean()?;
            elsewhere.clean()?;
            noise.push(percentile(&clients.at_rate(RATE, IN_FLIGHT, WINDOW).await?, 99));
            elsewhere.clean()?;
        }
        let (quiet, beside, noise) = (median(quiet), median(beside), median(noise));
        let detail = format!("p99 {beside:.0} us beside reports, {quiet:.0} us without");
        let ratio =
            Figure { name: "reports.p99_ratio", figure: beside / quiet, bar: Bar::AtMost(1.2), detail };
        let detail = format!("p99 {noise:.0} us beside the same reports to another service");
        let of_service = Figure {
            name: "reports.service_p99_ratio",
            figure: beside / noise,
            bar: Bar::AtMost(1.2),
            detail,
        };
        Ok(vec![ratio, of_service])
    })
}
