//! How do gateways ask at a rate that does not heed the answers?
//!
//! In open loop: picks begin when they are due, whether or not earlier ones were answered. Each gateway has one connection,
//! keeps to the service's bound on streams, gives each attempt its time (`grpc-timeout`), resets the stream of one whose time
//! has passed, and tries a pick that failed again, after a pause that chance makes longer or shorter, under the same
//! `request_id`. An attempt that finds no free stream has failed: what waits in a gateway's own queue would be late anyway.

mod frames;
mod gateway;
mod retries;
mod tally;
mod wire;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use tokio::{task::JoinSet, time::Instant};

pub(crate) use tally::{MOMENT, Moment, Tally};

use super::{asks::Asks, said::Failure};
use gateway::Gateway;

/// How much is asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Load {
    /// So many picks a second, of all gateways together.
    Rate(f64),
    /// So many picks always in flight, of all gateways together: another one begins only when one has ended.
    InFlight(usize),
}

/// For how long how much is asked for.
pub(crate) type Phase = (Load, Duration);

/// Loads a service in phases, one after the other, from so many gateways.
pub(crate) async fn storm(
    address: SocketAddr,
    asks: &Arc<Asks>,
    gateways: usize,
    phases: &[Phase],
) -> Result<Tally, Failure> {
    let mut tasks = JoinSet::new();
    // All connect before any asks.
    let mut connected = Vec::new();
    for number in 0..gateways {
        connected.push(Gateway::connect(address, number, Arc::clone(asks)).await?);
    }
    let started = Instant::now();
    for gateway in connected {
        let share = phases.iter().map(|(load, length)| (load.share(gateways), *length)).collect();
        tasks.spawn(gateway.run(started, share));
    }
    let mut tally = Tally::default();
    for seen in tasks.join_all().await {
        tally.add(seen?);
    }
    Ok(tally)
}

impl Load {
    fn share(self, gateways: usize) -> Self {
        match self {
            Self::Rate(rate) => Self::Rate(rate / gateways as f64),
            Self::InFlight(count) => Self::InFlight(count.div_ceil(gateways)),
        }
    }
}
