//! How is a server loaded, and how fast were its replies?
//!
//! In closed loop: so many callers, each of which asks again as soon as it has its reply.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::task::JoinSet;

use super::{
    asks::Asks,
    case::{Call, Case},
    clock::{nanos_since, now},
    link::Link,
    reply,
    said::Failure,
    stream::stream,
};

/// Connections to one server, for one case.
pub(crate) struct Load {
    links: Vec<Link>,
    case: Case,
    asks: Arc<Asks>,
    /// Keeps the connections.
    _connections: JoinSet<()>,
}

/// What a window showed.
#[derive(Debug)]
pub(crate) struct Window {
    /// From the first request to the last reply.
    pub(crate) elapsed: Duration,
    /// Picks that were answered.
    pub(crate) picks: u64,
    /// Of each call, in nanoseconds; on a stream, of each pick.
    pub(crate) latencies: Vec<u64>,
}

impl Load {
    /// Connects.
    pub(crate) async fn new(address: SocketAddr, case: Case, asks: Arc<Asks>) -> Result<Self, Failure> {
        let mut connections = JoinSet::new();
        let mut links = Vec::new();
        for _ in 0..case.connections {
            links.push(Link::connect(address, case.call, &mut connections).await?);
        }
        Ok(Self { links, case, asks, _connections: connections })
    }

    /// Asks for so long.
    pub(crate) async fn run(&self, length: Duration) -> Result<Window, Failure> {
        let start = now();
        let end = start + length;
        let latencies = match self.case.call {
            Call::Stream => stream(self.links[0].clone(), &self.asks, self.case.in_flight, end).await?,
            Call::Unary | Call::Batch(_) => self.calls(end).await?,
        };
        let picks = latencies.len() as u64 * self.case.call.picks();
        Ok(Window { elapsed: start.elapsed(), picks, latencies })
    }

    async fn calls(&self, end: Instant) -> Result<Vec<u64>, Failure> {
        let mut callers = JoinSet::new();
        for number in 0..self.case.in_flight {
            let link = self.links[number % self.links.len()].clone();
            callers.spawn(caller(link, Arc::clone(&self.asks), self.case.call, end));
        }
        let mut latencies = Vec::new();
        while let Some(done) = callers.join_next().await {
            latencies.extend(done??);
        }
        Ok(latencies)
    }
}

async fn caller(mut link: Link, asks: Arc<Asks>, call: Call, end: Instant) -> Result<Vec<u64>, Failure> {
    let mut latencies = Vec::new();
    loop {
        let frame = asks.next();
        let start = now();
        if start >= end {
            return Ok(latencies);
        }
        let message = link.ask(frame).await?;
        latencies.push(nanos_since(start));
        reply::check(message, call)?;
    }
}
