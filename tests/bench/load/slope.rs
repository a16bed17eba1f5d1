//! Does the service's memory grow with what it has done, or only with what it does?

use std::{
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};

use tokio::{
    task::JoinSet,
    time::{Instant, sleep_until},
};

use super::{
    Bar, Figure, argument, block_on,
    child::Child,
    cpu, median,
    mixed::{self, Seen},
    resident,
    said::Failure,
    server::{FEW_REPORTERS, MIXED},
};

/// Picks a second: well under what the service can do.
const RATE: f64 = 5000.0;
const MINUTES: f64 = 10.0;
/// The share of the time after which every bounded table is taken to be full and every lease, user and answer of the first
/// moments gone.
const WARM_UP: f64 = 0.25;
/// Samples, one a second, of which the median is one point of the line.
const POINT: usize = 10;
/// Of so many picks one may be rejected, as it comes while its answer is on its way.
const REJECTED_MAX: u64 = 100;
const MIB: f64 = 1024.0 * 1024.0;

/// Slope of the service's resident memory under mixed load.
pub(crate) fn row() -> Result<Vec<Figure>, Failure> {
    let minutes = argument("--minutes").map_or(Ok(MINUTES), |minutes| minutes.parse())?;
    let service = Child::start(MIXED, &[])?;
    let mut reporters = Child::start(&format!("{FEW_REPORTERS}{}", service.address), &[])?;
    reporters.clean()?;
    let seen = Arc::new(Seen::default());
    let samples = block_on(sampled(&service, &seen, Duration::from_secs_f64(60.0 * minutes)))?;
    let ran = cpu::of(&service.id)? as f64 / 1e9 / 60.0 / minutes;

    let (warm_up, steady) = samples.split_at(at(samples.len() as f64 * WARM_UP));
    let points: Vec<_> = steady.chunks_exact(POINT).map(|chunk| median(chunk.to_vec())).collect();
    let slope = slope(&points) * 3600.0 / POINT as f64;
    let of = |count: &std::sync::atomic::AtomicU64| count.load(Relaxed);
    let (routes, answers, rejections, visits) =
        (of(&seen.routes), of(&seen.answers), of(&seen.rejections), of(&seen.visits));
    if rejections * REJECTED_MAX > routes {
        return Err(
            format!("{rejections} picks were rejected, {routes} routed: that is no mixed load").into()
        );
    }
    let (first, last) =
        (points.first().copied().unwrap_or_default(), points.last().copied().unwrap_or_default());
    let detail = format!(
        "extrapolated from {:.1} minutes after {:.1} of warm-up: {first:.2} MiB to {last:.2} MiB (at the start {:.1}); {routes} \
         routes, {answers} known answers, {rejections} rejections, {visits} connections came and went, {:.0} % of a core",
        steady.len() as f64 / 60.0,
        warm_up.len() as f64 / 60.0,
        samples.first().copied().unwrap_or_default(),
        100.0 * ran,
    );
    Ok(vec![Figure { name: "slope.mib_per_hour", figure: slope, bar: Bar::AtMost(1.0), detail }])
}

/// MiB of the service, second by second, while it is loaded.
async fn sampled(service: &Child, seen: &Arc<Seen>, length: Duration) -> Result<Vec<f64>, Failure> {
    let mut tasks = JoinSet::new();
    mixed::begin(service.address, RATE, seen, &mut tasks).await?;
    let started = Instant::now();
    let mut samples = Vec::new();
    for second in 1..=length.as_secs() {
        tokio::select! {
            () = sleep_until(started + Duration::from_secs(second)) => {}
            Some(ended) = tasks.join_next() => ended??,
        }
        samples.push(resident::of(&service.id)? as f64 / MIB);
    }
    Ok(samples)
}

/// Theil's and Sen's slope: the median of those between each two points, which a step or a spike hardly moves.
fn slope(points: &[f64]) -> f64 {
    let mut slopes = Vec::new();
    for (number, from) in points.iter().enumerate() {
        let after = points.iter().enumerate().skip(number + 1);
        slopes.extend(after.map(|(later, to)| (to - from) / (later - number) as f64));
    }
    median(slopes)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a length")]
fn at(share: f64) -> usize {
    share as usize
}
