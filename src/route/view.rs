//! What is seen of the nodes that serve the request?

use std::sync::Arc;

use super::Scene;
use crate::{
    domain::{decision::Target, node::NodeClass, request::RouteRequest, time::Instant},
    state::nodes::{
        board::{Board, Rows},
        node::Node,
        reading::Reading,
        standing::Speeds,
    },
};

/// A node that serves the request's type and model, as it is now.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    /// The node.
    pub node: &'a Arc<Node>,
    /// Where it takes the request.
    pub target: &'a Target,
    /// Its place in the topology.
    pub index: usize,
    /// What is known of it.
    pub reading: Reading,
}

impl<'a> View<'a> {
    /// Of the node at a place of a board.
    pub fn of(board: &'a Board, rows: &Rows, place: usize) -> Self {
        let (node, target) = (&board.nodes()[place], &board.targets()[place]);
        Self { node, target, index: board.index(place), reading: rows.readings()[place] }
    }
}

/// The board of the nodes of a class that serve the request's type and model.
pub fn board<'a>(request: &RouteRequest, class: NodeClass, scene: Scene<'a>) -> &'a Board {
    boards(request, scene)[class as usize]
}

/// The same of every class.
pub fn boards<'a>(request: &RouteRequest, scene: Scene<'a>) -> [&'a Board; NodeClass::ALL.len()] {
    scene.topology.boards(request.request_type, &request.model)
}

/// All of these nodes, in order of their ids, and how fast the live ones are.
pub fn view<'a>(
    request: &RouteRequest,
    class: NodeClass,
    scene: Scene<'a>,
    now: Instant,
) -> (Vec<View<'a>>, Speeds) {
    let board = board(request, class, scene);
    let rows = board.read(scene.policy, now);
    let views = (0..board.nodes().len()).map(|place| View::of(board, &rows, place)).collect();
    (views, rows.speeds())
}
