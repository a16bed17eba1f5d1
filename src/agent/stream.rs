//! One `ReportLoad` stream, from registration to its end.

use std::{num::NonZeroU32, pin::Pin, time::Duration};

use tokio::{
    sync::mpsc::{self, error::TrySendError},
    time::{Instant, sleep_until, timeout},
};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Status, Streaming, transport::Endpoint};
use tonic_types::StatusExt;
use tracing::warn;

use super::{
    AgentError,
    cache::Cache,
    observer::{Look, Observer},
};
use crate::{
    config::AgentConfig,
    domain::load::{NodeLoad, Ratio},
    proto::{
        Farewell, FieldViolation, LoadReport, Registration, ReportLoadRequest, ReportLoadResponse,
        ReportStatus, load_service_client::LoadServiceClient, report_load_request::Message,
    },
    wire,
};

/// The service must answer to a connection and a registration within this.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(3);
/// The service must answer to a farewell within this: whoever stops the agent waits for it.
const FAREWELL_TIMEOUT: Duration = Duration::from_secs(2);
/// A service that does not answer pings is gone.
const KEEPALIVE: Duration = Duration::from_secs(5);
/// Pace until the service has said its own.
const FIRST_INTERVAL: Duration = Duration::from_millis(500);
/// Queue that sharp changes are measured by where the node declares none.
const QUEUE_CAPACITY: u32 = 100;

/// How a stream ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// The agent was asked to end, and said farewell.
    Asked,
    /// The model server is gone.
    EngineLost,
    /// The connection broke, or the service asked to connect again.
    Broken(String),
    /// The service refuses the node.
    Refused(String),
}

/// A registered node's stream.
#[derive(Debug)]
pub(super) struct Stream {
    messages: mpsc::Sender<ReportLoadRequest>,
    replies: Streaming<ReportLoadResponse>,
    /// Pace that the service asks for.
    interval: Duration,
    /// Tokens of a block, as the service said last.
    block_tokens: Option<NonZeroU32>,
    sample_interval: Duration,
    sharp_change: f64,
    queue_capacity: f64,
    sequence: i64,
    sent: Option<(NodeLoad, Instant)>,
    /// The last first-token latency that no report has carried yet: looks outnumber reports.
    latency: Option<Duration>,
    /// What was refused last, so that it is logged once.
    refused: Vec<FieldViolation>,
}

impl Stream {
    /// Connects and registers. The outer error is final; the inner one tells how the try ended.
    pub(super) async fn open(config: &AgentConfig) -> Result<Result<Self, Ended>, AgentError> {
        let address = |source| AgentError::Address { uri: config.server.clone(), source };
        let endpoint = Endpoint::from_shared(config.server.clone())
            .map_err(address)?
            .connect_timeout(ANSWER_TIMEOUT)
            .http2_keep_alive_interval(KEEPALIVE)
            .keep_alive_timeout(KEEPALIVE);
        let opened = timeout(ANSWER_TIMEOUT, Self::register(config, &endpoint)).await;
        Ok(opened.unwrap_or_else(|_| Err(Ended::Broken("the service does not answer".into()))))
    }

    async fn register(config: &AgentConfig, endpoint: &Endpoint) -> Result<Self, Ended> {
        let channel = endpoint.connect().await.map_err(|error| Ended::Broken(reasons(&error)))?;
        let (messages, outbound) = mpsc::channel(4);
        let registration = Registration { spec: Some(wire::spec(&config.node)), unattended: false };
        // The channel has room: this cannot wait.
        let _ = messages.send(envelope(Message::Registration(registration))).await;
        let replies = LoadServiceClient::new(channel).report_load(ReceiverStream::new(outbound)).await;
        let mut stream = Self::new(config, messages, replies.map_err(|status| ended(&status))?.into_inner());
        let reply = stream.replies.message().await.map_err(|status| ended(&status))?;
        let registered = reply.as_ref().is_some_and(|reply| reply.status() == ReportStatus::Registered);
        match stream.hear(reply) {
            Some(ended) => Err(ended),
            None if registered => Ok(stream),
            None => Err(Ended::Broken("the service does not confirm the registration".into())),
        }
    }

    fn new(
        config: &AgentConfig,
        messages: mpsc::Sender<ReportLoadRequest>,
        replies: Streaming<ReportLoadResponse>,
    ) -> Self {
        Self {
            messages,
            replies,
            interval: FIRST_INTERVAL,
            block_tokens: None,
            sample_interval: config.sample_interval,
            sharp_change: config.sharp_change,
            queue_capacity: f64::from(
                config.node.queue_capacity.map_or(QUEUE_CAPACITY, std::num::NonZero::get),
            ),
            sequence: 0,
            sent: None,
            latency: None,
            refused: Vec::new(),
        }
    }

    /// Reports until something ends it.
    pub(super) async fn report(
        mut self,
        observer: &mut Observer,
        mut cache: Option<&mut Cache>,
        shutdown: &mut Pin<&mut impl Future<Output = ()>>,
    ) -> Ended {
        let mut next = Instant::now();
        if let Some(cache) = &mut cache {
            cache.begin(self.block_tokens);
        }
        loop {
            let step = self.step();
            let look = async {
                sleep_until(next).await;
                let look = observer.look().await;
                // Late looks are not made up for.
                next = (next + step).max(Instant::now());
                look
            };
            let ended = tokio::select! {
                () = shutdown.as_mut() => {
                    self.part().await;
                    Some(Ended::Asked)
                }
                reply = self.replies.message() => match reply {
                    Ok(reply) => {
                        if let (Some(reply), Some(cache)) = (&reply, &mut cache) {
                            pass_on(reply, cache);
                        }
                        self.hear(reply)
                    }
                    Err(status) => Some(ended(&status)),
                },
                look = look => match look {
                    Look::Load(load) => self.tell(load, cache.as_deref_mut()),
                    Look::Unclear => None,
                    Look::Gone => Some(Ended::EngineLost),
                },
            };
            if let Some(ended) = ended {
                return ended;
            }
        }
    }

    /// Sends the load if it is time to, if it has changed sharply, or if the cache has more to tell than one report carries.
    ///
    /// Never waits: a service that takes nothing in must not keep the agent from seeing that it is to end, or that the
    /// model server is gone. A report that finds no room is dropped, since the next look knows better.
    fn tell(&mut self, mut load: NodeLoad, mut cache: Option<&mut Cache>) -> Option<Ended> {
        self.latency = load.first_token_latency.or(self.latency);
        let due = match &self.sent {
            None => true,
            Some((sent, at)) => at.elapsed() >= self.pace() || self.is_sharp(sent, &load),
        };
        let due = due || cache.as_mut().is_some_and(|cache| cache.is_behind());
        if !due {
            return None;
        }
        load.first_token_latency = self.latency;
        let room = match self.messages.try_reserve() {
            Ok(room) => room,
            Err(TrySendError::Full(())) => return None,
            Err(TrySendError::Closed(())) => return Some(Ended::Broken("the stream has ended".into())),
        };
        self.sequence += 1;
        let kv_events = cache.and_then(|cache| cache.events(self.sequence));
        room.send(envelope(Message::Report(LoadReport {
            sequence: self.sequence,
            load: Some(wire::load(&load)),
            kv_events,
        })));
        self.latency = None;
        self.sent = Some((load, Instant::now()));
        None
    }

    /// Time between looks: never more than between the reports that the service asks for.
    fn step(&self) -> Duration {
        self.sample_interval.min(self.interval)
    }

    /// Looks come in steps: the one nearest to the interval counts, not the one after it.
    fn pace(&self) -> Duration {
        self.interval.saturating_sub(self.step() / 2)
    }

    fn is_sharp(&self, before: &NodeLoad, now: &NodeLoad) -> bool {
        let moved = |field: fn(&NodeLoad) -> Option<Ratio>| {
            let [before, now] = [before, now].map(|load| field(load).map(Ratio::get));
            before.zip(now).is_some_and(|(before, now)| (before - now).abs() >= self.sharp_change)
        };
        let queued = |field: fn(&NodeLoad) -> Option<u32>| {
            let [before, now] = [before, now].map(|load| field(load).map(f64::from));
            before.zip(now).is_some_and(|(b, n)| (b - n).abs() >= self.sharp_change * self.queue_capacity)
        };
        moved(|load| load.cpu)
            || moved(|load| load.memory)
            || moved(|load| load.gpu)
            || moved(|load| load.gpu_memory)
            || moved(|load| load.kv_cache)
            || queued(|load| load.running)
            || queued(|load| load.waiting)
    }

    /// Takes in a reply; `None` to go on.
    fn hear(&mut self, reply: Option<ReportLoadResponse>) -> Option<Ended> {
        let Some(reply) = reply else { return Some(Ended::Broken("the service ended the stream".into())) };
        let asked = reply.report_interval.and_then(|interval| Duration::try_from(interval).ok());
        self.interval = asked.filter(|interval| !interval.is_zero()).unwrap_or(self.interval);
        self.block_tokens = block_tokens(&reply).or(self.block_tokens);
        match reply.status() {
            ReportStatus::Reconnect => {
                Some(Ended::Broken("the service is about to stop, or the connection is old".into()))
            }
            ReportStatus::Removed => Some(Ended::Broken("the node was removed".into())),
            ReportStatus::Refused if reply.field_violations != self.refused => {
                warn!(violations = ?reply.field_violations, "the service refuses the reports");
                self.refused = reply.field_violations;
                None
            }
            ReportStatus::Applied => {
                self.refused.clear();
                None
            }
            _ => None,
        }
    }

    /// Says farewell, and waits for it to be heard.
    async fn part(&mut self) {
        let farewell = Message::Farewell(Farewell { reason: "the agent was stopped".into() });
        let heard = async {
            let _ = self.messages.send(envelope(farewell)).await;
            while let Ok(Some(reply)) = self.replies.message().await {
                if reply.status() == ReportStatus::Removed {
                    return;
                }
            }
        };
        if timeout(FAREWELL_TIMEOUT, heard).await.is_err() {
            warn!("the service did not confirm that the node has left");
        }
    }
}

/// Lets the cache know what became of what it told.
fn pass_on(reply: &ReportLoadResponse, cache: &mut Cache) {
    match reply.status() {
        ReportStatus::Applied => cache.applied(reply.applied_sequence, block_tokens(reply)),
        ReportStatus::Refused | ReportStatus::Stale => cache.dropped(&reply.field_violations),
        _ => {}
    }
}

/// Tokens of a block; `None` from services that do not say.
fn block_tokens(reply: &ReportLoadResponse) -> Option<NonZeroU32> {
    u32::try_from(reply.prefix_block_tokens).ok().and_then(NonZeroU32::new)
}

fn envelope(message: Message) -> ReportLoadRequest {
    ReportLoadRequest { message: Some(message) }
}

fn ended(status: &Status) -> Ended {
    match status.code() {
        Code::InvalidArgument => Ended::Refused(violations(status)),
        code => Ended::Broken(format!("{code:?}: {}", status.message())),
    }
}

/// Which fields the service objects to; its message where it names none.
fn violations(status: &Status) -> String {
    let fields = status.get_details_bad_request().map(|bad| bad.field_violations).unwrap_or_default();
    if fields.is_empty() {
        return status.message().to_owned();
    }
    let fields: Vec<_> = fields.iter().map(|bad| format!("`{}` {}", bad.field, bad.description)).collect();
    fields.join("; ")
}

fn reasons(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |&error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

#[cfg(test)]
mod tests;
