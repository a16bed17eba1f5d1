//! What is left of the service where ten times as much is asked of it as it can do, and how soon is it as before?
//!
//! The peak is the most picks a second that got their route in time: in closed loop, or in open loop at nine tenths of that and
//! at all of it. Then half of the peak is asked for, then ten times the peak, then half again, without a pause: what the
//! storm has left to be tried again falls on the calm.

use std::{sync::Arc, time::Duration};

use super::{
    Bar, Figure, argument,
    asks::Asks,
    block_on,
    case::{Call, Work},
    child::Child,
    median,
    said::Failure,
    server::FULL,
    storm::{Load, MOMENT, Moment, Tally, storm},
};

/// Gateways, each with a connection: their streams together take as long as a pick has.
const GATEWAYS: usize = 32;
/// Picks in flight that keep the service busy.
const IN_FLIGHT: usize = 128;
/// How many times the peak is offered.
const STORM: f64 = 10.0;
/// The share of the peak before and after.
const CALM: f64 = 0.5;
const SPAN: Duration = Duration::from_secs(4);
/// How often p99 may exceed what it was before, and the service is as before.
const TOLERANCE: f64 = 2.0;
/// Moments in a row in which it must be as before.
const STEADY: usize = 2;
/// Odd, so that a median is one of them.
const ROUNDS: usize = 3;

/// One service, and who loads it.
struct Site {
    service: Child,
    asks: Arc<Asks>,
    gateways: usize,
}

/// What a round came to.
struct Round {
    peak: f64,
    /// Good picks a second in the storm.
    goodput: f64,
    storm: Moment,
    /// Seconds until the service was as before; infinite if it never was.
    recovery: f64,
}

/// Picks in time under ten times the peak, over the peak; and seconds until p99 is as before.
pub(crate) fn row() -> Result<Vec<Figure>, Failure> {
    let gateways = argument("--gateways").map_or(Ok(GATEWAYS), |gateways| gateways.parse())?;
    let asks = Arc::new(Asks::new(Work::Full, Call::Unary));
    let rounds = block_on(async {
        let mut rounds = Vec::new();
        for _ in 0..ROUNDS {
            // Anew: what all rounds ask for would use up the limit of tokens.
            let mut site = Site { service: Child::start(FULL, &[])?, asks: Arc::clone(&asks), gateways };
            rounds.push(site.round().await?);
        }
        Ok(rounds)
    })?;
    let of = |figure: fn(&Round) -> f64| median(rounds.iter().map(figure).collect());
    let detail = format!(
        "peak {:.0} a second, {:.0} of {:.0} in time; {gateways} gateways, of each round: {}",
        of(|round| round.peak),
        of(|round| round.goodput),
        of(|round| rate(round.storm.begun, SPAN)),
        rounds.iter().map(Round::said).collect::<Vec<_>>().join("; "),
    );
    let recovery = rounds.iter().map(|round| format!("{:.2}", round.recovery)).collect::<Vec<_>>().join(", ");
    let recovery =
        format!("p99 again within {TOLERANCE} times that before, at half of the peak: {recovery} s");
    let (share, seconds) = (of(|round| round.goodput / round.peak), of(|round| round.recovery));
    Ok(vec![
        Figure { name: "overload.goodput_share", figure: share, bar: Bar::AtLeast(0.9), detail },
        Figure { name: "overload.recovery_s", figure: seconds, bar: Bar::AtMost(2.0), detail: recovery },
    ])
}

impl Site {
    async fn round(&mut self) -> Result<Round, Failure> {
        let peak = self.peak().await?;
        let (calm, over) = (Load::Rate(peak * CALM), Load::Rate(peak * STORM));
        let seen = self.load(&[(calm, SPAN), (over, SPAN), (calm, SPAN)]).await?;
        let storm = seen.within(SPAN, SPAN);
        Ok(Round { peak, goodput: rate(storm.good, SPAN), recovery: recovery(&seen), storm })
    }

    async fn peak(&mut self) -> Result<f64, Failure> {
        let closed = self.goodput(Load::InFlight(IN_FLIGHT)).await?;
        let near = self.goodput(Load::Rate(0.9 * closed)).await?;
        Ok(closed.max(near).max(self.goodput(Load::Rate(closed)).await?))
    }

    async fn goodput(&mut self, load: Load) -> Result<f64, Failure> {
        let seen = self.load(&[(load, SPAN)]).await?;
        Ok(rate(seen.within(Duration::ZERO, SPAN).good, SPAN))
    }

    async fn load(&mut self, phases: &[(Load, Duration)]) -> Result<Tally, Failure> {
        self.service.clean()?;
        storm(self.service.address, &self.asks, self.gateways, phases).await
    }
}

impl Round {
    fn said(&self) -> String {
        let Moment { sent, held, late, refused, ended, .. } = self.storm;
        format!(
            "{:.2} of {:.0}, offered {:.1} times the peak ({sent} attempts sent, {held} without a free stream, {late} late, \
             {refused} refused, {ended} connections ended)",
            self.goodput / self.peak,
            self.peak,
            rate(self.storm.begun, SPAN) / self.peak,
        )
    }
}

/// Seconds from the end of the storm until p99 is as it was before it.
fn recovery(seen: &Tally) -> f64 {
    let before = seen.within(Duration::ZERO, SPAN).p99();
    let after: Vec<_> =
        seen.moments(2 * SPAN, SPAN).map(|moment| moment.p99() <= TOLERANCE * before).collect();
    let moments = after.windows(STEADY).position(|moments| moments.iter().all(|is_as_before| *is_as_before));
    moments.map_or(f64::INFINITY, |moments| moments as f64 * MOMENT.as_secs_f64())
}

fn rate(count: u32, length: Duration) -> f64 {
    f64::from(count) / length.as_secs_f64()
}
