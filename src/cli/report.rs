//! `pointsman report`: registers a node and reports its load by hand.

use std::time::Duration;

use clap::Args;
use tokio::{
    sync::mpsc,
    time::{sleep, timeout},
};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Streaming;

use super::{
    Ending, asked_to_end,
    client::Server,
    fault::Fault,
    output::Output,
    ranges::{kv_tokens, ratio, requests, some_kv_tokens, speed, work},
    values::{Class, Endpoint, Model, duration, label},
};
use crate::{
    proto::{
        Farewell, LoadReport, NodeLoad, NodeSpec, Registration, ReportLoadRequest, ReportLoadResponse,
        ReportStatus, load_service_client::LoadServiceClient, report_load_request::Message,
    },
    wire,
};

/// The service must hear a farewell within this: whoever ends the command waits for it.
const FAREWELL_TIMEOUT: Duration = Duration::from_secs(2);

/// Flags of `report`.
#[derive(Debug, Args)]
pub struct Report {
    #[command(flatten)]
    node: NodeFlags,
    #[command(flatten)]
    load: LoadFlags,
    /// Keep the stream open and repeat the report, as an agent would, until Ctrl-C. Without it the node stays, with
    /// this load, until it is removed.
    #[arg(long)]
    hold: bool,
}

/// Flags that describe a node.
#[derive(Debug, Args)]
pub struct NodeFlags {
    /// The node's id.
    #[arg(long = "node", value_name = "ID")]
    id: String,
    /// Class of service.
    #[arg(long, value_enum, default_value_t = Class::Normal)]
    class: Class,
    /// Where the node takes requests of a type; may be repeated.
    #[arg(long, value_name = "TYPE=URL", required = true)]
    endpoint: Vec<Endpoint>,
    /// Model that the node serves; may be repeated. [default: any]
    #[arg(long, value_name = "NAME[@VERSION,…]")]
    model: Vec<Model>,
    /// Capacity relative to a node of weight 1.
    #[arg(long, allow_negative_numbers = true)]
    weight: Option<f64>,
    /// Waiting requests at which the queue is full. [default: the service's]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    queue_capacity: Option<i32>,
    /// Tokens that the key-value cache holds; what the node reports counts for more. [default: the service's guess]
    #[arg(long, value_name = "N", value_parser = some_kv_tokens(), allow_negative_numbers = true)]
    kv_tokens: Option<i64>,
    /// Free-form mark; may be repeated.
    #[arg(long, value_name = "KEY=VALUE", value_parser = label)]
    label: Vec<(String, String)>,
}

/// Flags that describe a load; what is left out the node does not know.
#[derive(Debug, Args)]
pub struct LoadFlags {
    /// Processor in use, a fraction: 30 % is 0.30.
    #[arg(long, value_name = "RATIO", value_parser = ratio, allow_negative_numbers = true)]
    cpu: Option<f64>,
    /// Memory in use, a fraction.
    #[arg(long, value_name = "RATIO", value_parser = ratio, allow_negative_numbers = true)]
    memory: Option<f64>,
    /// GPU in use, a fraction.
    #[arg(long, value_name = "RATIO", value_parser = ratio, allow_negative_numbers = true)]
    gpu: Option<f64>,
    /// GPU memory in use, a fraction.
    #[arg(long, value_name = "RATIO", value_parser = ratio, allow_negative_numbers = true)]
    gpu_memory: Option<f64>,
    /// Requests in execution.
    #[arg(long, value_name = "N", value_parser = requests(), allow_negative_numbers = true)]
    running: Option<i64>,
    /// Requests in the queue.
    #[arg(long, value_name = "N", value_parser = requests(), allow_negative_numbers = true)]
    waiting: Option<i64>,
    /// Key-value cache in use, a fraction.
    #[arg(long, value_name = "RATIO", value_parser = ratio, allow_negative_numbers = true)]
    kv_cache: Option<f64>,
    /// Tokens that the key-value cache can hold.
    #[arg(long, value_name = "N", value_parser = kv_tokens(), allow_negative_numbers = true)]
    kv_capacity: Option<i64>,
    /// Tokens of it that requests in execution use.
    #[arg(long, value_name = "N", value_parser = kv_tokens(), allow_negative_numbers = true)]
    kv_active: Option<i64>,
    /// Prompt tokens accepted and not yet computed.
    #[arg(long, value_name = "N", value_parser = kv_tokens(), allow_negative_numbers = true)]
    queued_tokens: Option<i64>,
    /// The same as work: 1 is a token without context.
    #[arg(long, value_name = "WORK", value_parser = work, allow_negative_numbers = true)]
    queued_work: Option<f64>,
    /// Work per millisecond while the node is busy.
    #[arg(long, value_name = "WORK", value_parser = speed, allow_negative_numbers = true)]
    speed: Option<f64>,
    /// Requests in execution that write their answer.
    #[arg(long, value_name = "N", value_parser = requests(), allow_negative_numbers = true)]
    decoding: Option<i64>,
    /// Highest lease that the node had received when it measured.
    #[arg(long, value_name = "LEASE")]
    received_lease: Option<String>,
    /// Time from the measurement to the sending, up to 1m. [default: none]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    age: Option<Duration>,
    /// Adapter that is loaded; may be repeated.
    #[arg(long, value_name = "NAME")]
    adapter: Vec<String>,
}

impl NodeFlags {
    fn to_proto(&self) -> NodeSpec {
        NodeSpec {
            node_id: self.id.clone(),
            endpoints: self.endpoint.iter().map(Endpoint::to_proto).collect(),
            models: self.model.iter().map(Model::to_proto).collect(),
            node_class: wire::class(self.class.into()).into(),
            weight: self.weight,
            labels: self.label.iter().cloned().collect(),
            queue_capacity: self.queue_capacity,
            kv_tokens: self.kv_tokens,
        }
    }
}

impl LoadFlags {
    fn to_proto(&self) -> NodeLoad {
        NodeLoad {
            cpu_utilization: self.cpu,
            memory_utilization: self.memory,
            gpu_utilization: self.gpu,
            gpu_memory_utilization: self.gpu_memory,
            running_request_count: self.running,
            waiting_request_count: self.waiting,
            kv_cache_utilization: self.kv_cache,
            first_token_latency: None,
            loaded_adapters: self.adapter.clone(),
            kv_capacity_tokens: self.kv_capacity,
            kv_active_tokens: self.kv_active,
            queued_prompt_tokens: self.queued_tokens,
            queued_work: self.queued_work,
            work_per_ms: self.speed,
            decoding_request_count: self.decoding,
            received_lease_id: self.received_lease.clone().unwrap_or_default(),
            age: self.age.map(wire::duration),
        }
    }
}

impl Report {
    /// Registers, reports once, and goes on if asked.
    pub async fn run(self, server: &Server, output: &Output) -> Result<Ending, Fault> {
        let mut stream = Stream::open(server).await?;
        let spec = Some(self.node.to_proto());
        stream.say(Message::Registration(Registration { spec, unattended: !self.hold })).await?;
        let mut sequence = 1;
        let reply = match stream.report(sequence, &self.load).await {
            Ok(reply) => reply,
            Err(refused) => {
                // A node that nobody knows the load of would look idle, and draw picks.
                stream.part("its report was refused").await;
                return Err(refused);
            }
        };
        output.reply("ReportLoadResponse", &reply, |_| self.told())?;
        if !self.hold {
            return Ok(Ending::Done);
        }
        let interval = reply.report_interval.and_then(|interval| interval.try_into().ok());
        let interval = interval.unwrap_or(Duration::from_millis(500));
        let mut end = std::pin::pin!(asked_to_end());
        loop {
            tokio::select! {
                () = &mut end => break,
                repeated = stream.repeat(interval, sequence + 1, &self.load) => {
                    repeated?;
                    sequence += 1;
                }
            }
        }
        stream.part("`report --hold` was ended").await;
        Ok(Ending::Done)
    }

    fn told(&self) -> String {
        let node = &self.node.id;
        if self.hold {
            return format!("Registered {node}; reporting until Ctrl-C.");
        }
        format!("Registered {node} and reported its load. It stays until `pointsman nodes remove {node}`.")
    }
}

/// A `ReportLoad` stream, message for message.
struct Stream {
    messages: mpsc::Sender<ReportLoadRequest>,
    replies: Streaming<ReportLoadResponse>,
}

impl Stream {
    async fn open(server: &Server) -> Result<Self, Fault> {
        let (messages, outbound) = mpsc::channel(1);
        let mut client = LoadServiceClient::new(server.connect().await?);
        let replies = client.report_load(ReceiverStream::new(outbound)).await?.into_inner();
        Ok(Self { messages, replies })
    }

    async fn report(&mut self, sequence: i64, load: &LoadFlags) -> Result<ReportLoadResponse, Fault> {
        self.say(Message::Report(LoadReport { sequence, load: Some(load.to_proto()), kv_events: None })).await
    }

    /// Reports once more, after an interval.
    async fn repeat(&mut self, interval: Duration, sequence: i64, load: &LoadFlags) -> Result<(), Fault> {
        sleep(interval).await;
        self.report(sequence, load).await.map(drop)
    }

    /// Says farewell; a service that does not hear it will notice that the stream has ended.
    async fn part(&mut self, reason: &str) {
        let farewell = Message::Farewell(Farewell { reason: reason.to_owned() });
        let _ = timeout(FAREWELL_TIMEOUT, self.say(farewell)).await;
    }

    async fn say(&mut self, message: Message) -> Result<ReportLoadResponse, Fault> {
        let gone = || Fault::new("the service ended the stream").hint("it may be about to stop: try again");
        // If this fails the reason is in the replies.
        let _ = self.messages.send(ReportLoadRequest { message: Some(message) }).await;
        let reply = self.replies.message().await?.ok_or_else(gone)?;
        match reply.status() {
            ReportStatus::Refused => Err(refused(&reply)),
            ReportStatus::Reconnect => Err(gone()),
            _ => Ok(reply),
        }
    }
}

fn refused(reply: &ReportLoadResponse) -> Fault {
    let fields: Vec<_> =
        reply.field_violations.iter().map(|v| format!("`{}` {}", v.field, v.description)).collect();
    Fault::new(format!("the service refused the report: {}", fields.join("; ")))
        .hint("mend the fields named above")
}

#[cfg(test)]
mod tests;
