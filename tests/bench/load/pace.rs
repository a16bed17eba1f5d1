//! How are picks asked at a given rate, or as fast as they are answered?

use std::{
    net::SocketAddr,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use pointsman::proto::{PickNodeRequest, RequestType, routing_service_client::RoutingServiceClient};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep_until},
};
use tonic::transport::{Channel, Endpoint};

use super::{
    fleet,
    prompts::{BLOCKS, PROMPT_TOKENS, PROMPTS, block},
    said::Failure,
};

/// Connections that picks share.
const CONNECTIONS: usize = 4;

static NEXT: AtomicU64 = AtomicU64::new(0);

/// Clients of one server.
#[derive(Clone)]
pub(crate) struct Clients(Vec<RoutingServiceClient<Channel>>);

impl Clients {
    /// Connects.
    pub(crate) async fn connect(address: SocketAddr) -> Result<Self, Failure> {
        let mut clients = Vec::new();
        for _ in 0..CONNECTIONS {
            let endpoint = Endpoint::from_shared(format!("http://{address}"))?.tcp_nodelay(true);
            clients.push(RoutingServiceClient::new(endpoint.connect().await?));
        }
        Ok(Self(clients))
    }

    async fn pick(&self) -> Result<(), Failure> {
        let number = NEXT.fetch_add(1, Relaxed);
        let mut client = self.0[usize::try_from(number)? % CONNECTIONS].clone();
        client.pick_node(request(number)).await?;
        Ok(())
    }

    /// Asks for picks at a rate a second, by so many callers in turn. Latencies in microseconds, ascending. Counted from when
    /// each pick was sent: timers are no finer than a millisecond, and would be measured instead.
    pub(crate) async fn at_rate(
        &self,
        rate: f64,
        in_flight: u32,
        window: Duration,
    ) -> Result<Vec<f64>, Failure> {
        let started = Instant::now();
        let mut callers = JoinSet::new();
        for caller in 0..in_flight {
            let clients = self.clone();
            callers.spawn(async move {
                let mut latencies = Vec::new();
                for round in 0.. {
                    let due = Duration::from_secs_f64(f64::from(round * in_flight + caller) / rate);
                    if due >= window || started.elapsed() >= window {
                        break;
                    }
                    sleep_until(started + due).await;
                    let sent = Instant::now();
                    clients.pick().await?;
                    latencies.push(sent.elapsed().as_secs_f64() * 1e6);
                }
                Ok::<_, Failure>(latencies)
            });
        }
        let latencies = callers.join_all().await.into_iter().collect::<Result<Vec<_>, _>>()?;
        let mut latencies = latencies.concat();
        latencies.sort_by(f64::total_cmp);
        Ok(latencies)
    }

    /// Picks a second with so many always in flight.
    pub(crate) async fn peak(&self, in_flight: u32, window: Duration) -> Result<f64, Failure> {
        let until = Instant::now() + window;
        let mut callers = JoinSet::new();
        for _ in 0..in_flight {
            let clients = self.clone();
            callers.spawn(async move {
                let mut count = 0_u32;
                while Instant::now() < until {
                    clients.pick().await?;
                    count += 1;
                }
                Ok::<_, Failure>(count)
            });
        }
        let counts = callers.join_all().await.into_iter().collect::<Result<Vec<_>, _>>()?;
        Ok(f64::from(counts.iter().sum::<u32>()) / window.as_secs_f64())
    }
}

/// The latency that so many of a hundred do not exceed.
pub(crate) fn percentile(ascending: &[f64], percent: usize) -> f64 {
    ascending.get(ascending.len().saturating_sub(1) * percent / 100).copied().unwrap_or_default()
}

fn request(number: u64) -> PickNodeRequest {
    let prompt = number.wrapping_mul(389) % PROMPTS;
    PickNodeRequest {
        request_id: format!("{number:016x}"),
        request_type: RequestType::Text.into(),
        model: fleet::model(0),
        prompt_tokens: Some(PROMPT_TOKENS.into()),
        prefix_blocks: (0..BLOCKS).map(|number| block(prompt, number)).collect(),
        ..PickNodeRequest::default()
    }
}
