//! `NodeService`: shows and changes the node table.

use std::sync::Arc;

use tonic::{Request, Response, Status};
use tracing::info;

use super::{
    convert::{self, Invalid},
    desk::Desk,
    status,
};
use crate::{
    domain::id::NodeId,
    proto::{
        self, DrainNodeRequest, DrainNodeResponse, GetNodeRequest, GetNodeResponse, ListNodesRequest,
        ListNodesResponse, RegisterNodeRequest, RegisterNodeResponse, RemoveNodeRequest, RemoveNodeResponse,
        ResumeNodeRequest, ResumeNodeResponse, node_service_server::NodeService,
    },
    state::nodes::{NodeTable, node::Node},
};

/// Most nodes of one page, and as many as one gets without asking.
const PAGE_MAX: usize = 1000;

/// Shows and changes the node table.
#[derive(Debug, Clone)]
pub struct Nodes {
    desk: Arc<Desk>,
}

impl Nodes {
    /// Serves the desk's table.
    pub fn new(desk: Arc<Desk>) -> Self {
        Self { desk }
    }

    fn show(&self, node: &Node) -> proto::Node {
        convert::node::node(node, &self.desk.policy(), self.desk.now())
    }

    /// Does something to the node of this id, and shows it.
    fn with(
        &self,
        id: &str,
        act: impl FnOnce(&NodeTable, &NodeId) -> Option<Arc<Node>>,
    ) -> Result<proto::Node, Status> {
        let id =
            NodeId::parse(id).map_err(|bad| status::invalid(&Invalid::field("node_id", bad.to_string())))?;
        let node = act(&self.desk.state.nodes, &id).ok_or_else(|| status::node_not_found(&id))?;
        Ok(self.show(&node))
    }

    /// As [`with`](Self::with), for what may let a waiting pick go.
    fn change(
        &self,
        id: &str,
        act: impl FnOnce(&NodeTable, &NodeId) -> Option<Arc<Node>>,
    ) -> Result<proto::Node, Status> {
        self.with(id, act).inspect(|_| self.desk.announce_change())
    }
}

#[tonic::async_trait]
impl NodeService for Nodes {
    async fn list_nodes(
        &self,
        asked: Request<ListNodesRequest>,
    ) -> Result<Response<ListNodesResponse>, Status> {
        let ListNodesRequest { page_size, page_token } = asked.into_inner();
        let size = page_size_of(page_size).map_err(|bad| status::invalid(&bad))?;
        let topology = self.desk.state.nodes.topology();
        let start = topology.nodes.partition_point(|node| node.spec.id.as_str() <= page_token.as_str());
        let page = topology.nodes[start..].iter().take(size);
        let nodes: Vec<_> = page.map(|node| self.show(node)).collect();
        let is_last = start + nodes.len() >= topology.nodes.len();
        let last = nodes.last().and_then(|node| node.spec.as_ref());
        let next_page_token = last.filter(|_| !is_last).map(|spec| spec.node_id.clone()).unwrap_or_default();
        Ok(Response::new(ListNodesResponse { nodes, next_page_token }))
    }

    async fn get_node(&self, asked: Request<GetNodeRequest>) -> Result<Response<GetNodeResponse>, Status> {
        let node = self.with(&asked.get_ref().node_id, NodeTable::get)?;
        Ok(Response::new(GetNodeResponse { node: Some(node) }))
    }

    async fn register_node(
        &self,
        asked: Request<RegisterNodeRequest>,
    ) -> Result<Response<RegisterNodeResponse>, Status> {
        let spec = convert::node::spec("spec", asked.get_ref().spec.as_ref());
        let spec = spec.map_err(|bad| status::invalid(&bad))?;
        let id = spec.id.clone();
        self.desk.state.nodes.admit(spec, &self.desk.policy()).map_err(status::table_full)?;
        info!(node = %id, "node registered");
        let node = self.change(id.as_str(), NodeTable::get)?;
        Ok(Response::new(RegisterNodeResponse { node: Some(node) }))
    }

    async fn drain_node(
        &self,
        asked: Request<DrainNodeRequest>,
    ) -> Result<Response<DrainNodeResponse>, Status> {
        let node = self.change(&asked.get_ref().node_id, NodeTable::drain)?;
        info!(node = asked.get_ref().node_id, "node drained");
        Ok(Response::new(DrainNodeResponse { node: Some(node) }))
    }

    async fn resume_node(
        &self,
        asked: Request<ResumeNodeRequest>,
    ) -> Result<Response<ResumeNodeResponse>, Status> {
        let node = self.change(&asked.get_ref().node_id, NodeTable::resume)?;
        info!(node = asked.get_ref().node_id, "node resumed");
        Ok(Response::new(ResumeNodeResponse { node: Some(node) }))
    }

    async fn remove_node(
        &self,
        asked: Request<RemoveNodeRequest>,
    ) -> Result<Response<RemoveNodeResponse>, Status> {
        let node = self.change(&asked.get_ref().node_id, NodeTable::remove)?;
        info!(node = asked.get_ref().node_id, "node removed");
        Ok(Response::new(RemoveNodeResponse { node: Some(node) }))
    }
}

fn page_size_of(asked: i32) -> Result<usize, Invalid> {
    match usize::try_from(asked) {
        Ok(0) => Ok(PAGE_MAX),
        Ok(size) if size <= PAGE_MAX => Ok(size),
        _ => Err(Invalid::field("page_size", format!("must be from 1 to {PAGE_MAX}, got {asked}"))),
    }
}
