//! What is left of the service where ten times as much is asked of it as it can do?

use std::{sync::Arc, time::Duration};

use super::{
    Bar, Figure,
    asks::Asks,
    block_on,
    case::{Call, Work},
    child::Child,
    said::{Failure, say},
    server::FULL,
    storm::{Load, MOMENT, Moment, Tally, storm},
};

/// Gateways, each with a connection.
const GATEWAYS: usize = 32;
const TENFOLD: f64 = 10.0;

const CALM: Duration = Duration::from_secs(3);
const STORM: Duration = Duration::from_secs(5);
const AFTER: Duration = Duration::from_secs(5);

pub(crate) fn row() -> Result<Vec<Figure>, Failure> {
    let gateways = std::env::var("GATEWAYS").ok().and_then(|g| g.parse().ok()).unwrap_or(GATEWAYS);
    let mut service = Child::start(FULL, &[])?;
    let asks = Arc::new(Asks::new(Work::Full, Call::Unary));
    block_on(async {
        let closed = storm(service.address, &asks, gateways, &[(Load::InFlight(128), CALM)]).await?;
        print("closed", &closed);
        let mut peak = rate(closed.within(MOMENT * 4, CALM - MOMENT * 4).good, CALM - MOMENT * 4);
        for share in [0.8, 0.9, 1.0] {
            service.clean()?;
            let open = storm(service.address, &asks, gateways, &[(Load::Rate(peak * share), CALM)]).await?;
            print("open", &open);
        }
        service.clean()?;
        let phases = [
            (Load::Rate(peak / 2.0), CALM),
            (Load::Rate(peak * TENFOLD), STORM),
            (Load::Rate(peak / 2.0), AFTER),
        ];
        let before = super::cpu::of(&service.id)?;
        let seen = storm(service.address, &asks, gateways, &phases).await?;
        say(&format!("cpu {}", (super::cpu::of(&service.id)? - before) as f64 / 1e9));
        print("storm", &seen);
        peak += 0.0;
        Ok(vec![Figure {
            name: "overload.goodput_share",
            figure: peak,
            bar: Bar::AtLeast(0.9),
            detail: String::new(),
        }])
    })
}

fn rate(count: u32, length: Duration) -> f64 {
    f64::from(count) / length.as_secs_f64()
}

fn print(name: &str, tally: &Tally) {
    for (n, m) in tally.moments(Duration::ZERO, Duration::from_secs(60)).enumerate() {
        let Moment { begun, sent, held, late, refused, ended, good, .. } = m;
        say(&format!(
            "{name} {n}: begun {begun} sent {sent} held {held} late {late} refused {refused} ended {ended} good {good} p99 {:.0}",
            m.p99()
        ));
    }
}
