//! `pointsman nodes`: shows and changes the node table.

use clap::{Args, Subcommand};
use tonic::transport::Channel;

use super::{
    Ending,
    client::Server,
    fault::Fault,
    output::{self, Output},
    values::{or_dash, show_duration},
};
use crate::proto::{
    DrainNodeRequest, GetNodeRequest, ListNodesRequest, ListNodesResponse, Node, NodeClass, NodeState,
    RemoveNodeRequest, RequestType, ResumeNodeRequest, node_service_client::NodeServiceClient,
};

/// Flags of `nodes`.
#[derive(Debug, Args)]
pub struct Nodes {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, Subcommand)]
enum Act {
    /// List all nodes.
    List,
    /// Show one node.
    Get(Id),
    /// Give a node no more picks; what runs there finishes.
    Drain(Id),
    /// End a drain.
    Resume(Id),
    /// Forget a node. One whose agent still reports comes back.
    Remove(Id),
}

#[derive(Debug, Args)]
struct Id {
    /// The node.
    #[arg(value_name = "ID")]
    node_id: String,
}

impl Nodes {
    /// Does what is asked, and shows the nodes.
    pub async fn run(self, server: &Server, output: &Output) -> Result<Ending, Fault> {
        let mut client = NodeServiceClient::new(server.connect().await?);
        match self.act {
            Act::List => {
                let all = list(&mut client).await?;
                output.reply("ListNodesResponse", &all, |all| table(&all.nodes))?;
            }
            Act::Get(Id { node_id }) => {
                let reply = client.get_node(GetNodeRequest { node_id }).await?.into_inner();
                output.reply("GetNodeResponse", &reply, |reply| table(reply.node.as_slice()))?;
            }
            Act::Drain(Id { node_id }) => {
                let reply = client.drain_node(DrainNodeRequest { node_id }).await?.into_inner();
                output.reply("DrainNodeResponse", &reply, |reply| table(reply.node.as_slice()))?;
            }
            Act::Resume(Id { node_id }) => {
                let reply = client.resume_node(ResumeNodeRequest { node_id }).await?.into_inner();
                output.reply("ResumeNodeResponse", &reply, |reply| table(reply.node.as_slice()))?;
            }
            Act::Remove(Id { node_id }) => {
                let reply = client.remove_node(RemoveNodeRequest { node_id }).await?.into_inner();
                output.reply("RemoveNodeResponse", &reply, |reply| table(reply.node.as_slice()))?;
            }
        }
        Ok(Ending::Done)
    }
}

/// All pages as one.
async fn list(client: &mut NodeServiceClient<Channel>) -> Result<ListNodesResponse, Fault> {
    let mut all = ListNodesResponse::default();
    let mut page_token = String::new();
    loop {
        let page = client.list_nodes(ListNodesRequest { page_size: 0, page_token }).await?.into_inner();
        all.nodes.extend(page.nodes);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return Ok(all);
        }
    }
}

/// Nodes as a table.
pub fn table(nodes: &[Node]) -> String {
    if nodes.is_empty() {
        return "No node is registered. Start one with `pointsman agent`, or try `pointsman report --help`."
            .to_owned();
    }
    let mut headers = vec![
        "node",
        "class",
        "types",
        "models",
        "state",
        "load",
        "cpu/gpu",
        "memory",
        "running",
        "waiting",
        "in flight",
        "reported",
    ];
    let learned = nodes.iter().any(|node| node.learned_work_per_ms.is_some());
    headers.extend(learned.then_some("work/ms"));
    let mut table = output::table(headers, 5);
    for node in nodes {
        let speed = || or_dash(node.learned_work_per_ms.map(|speed| format!("{speed:.2}")));
        table.add_row(row(node).into_iter().chain(learned.then(speed)));
    }
    table.to_string()
}

fn row(node: &Node) -> [String; 12] {
    let spec = node.spec.clone().unwrap_or_default();
    let load = node.load.clone().unwrap_or_default();
    let percent = |ratio: Option<f64>| or_dash(ratio.map(|ratio| format!("{:.0} %", ratio * 100.0)));
    let types: Vec<_> = spec.endpoints.iter().map(|endpoint| type_name(endpoint.request_type())).collect();
    let models: Vec<_> = spec.models.iter().map(|model| model.name.as_str()).collect();
    let models = if models.is_empty() { "any".to_owned() } else { models.join(", ") };
    let class = if spec.node_class() == NodeClass::High { "high" } else { "normal" };
    [
        spec.node_id.clone(),
        class.to_owned(),
        types.join(", "),
        models,
        state_name(node.state()).to_owned(),
        format!("{:.1}", node.load_score),
        percent(load.gpu_utilization.or(load.cpu_utilization)),
        percent(load.memory_utilization),
        or_dash(load.running_request_count),
        or_dash(load.waiting_request_count),
        node.in_flight_request_count.to_string(),
        or_dash(node.report_age.map(|age| format!("{} ago", show_duration(age)))),
    ]
}

fn type_name(kind: RequestType) -> String {
    kind.as_str_name().trim_start_matches("REQUEST_TYPE_").to_lowercase()
}

fn state_name(state: NodeState) -> &'static str {
    match state {
        NodeState::Unspecified => "unknown",
        NodeState::Ready => "ready",
        NodeState::Unreported => "unreported",
        NodeState::Silent => "silent",
        NodeState::Draining => "draining",
        NodeState::Ejected => "ejected",
    }
}

#[cfg(test)]
mod tests;
