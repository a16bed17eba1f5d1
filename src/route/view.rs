//! What is seen of the nodes that serve the request?

use std::sync::Arc;

use super::Scene;
use crate::{
    domain::{decision::Target, node::NodeClass, request::RouteRequest, time::Instant},
    state::nodes::{
        board::{Board, Glance, Rows},
        node::Node,
        reading::Reading,
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

/// The boards of a pool, by class, and what each told at a glance.
#[derive(Debug, Clone, Copy)]
pub struct Boards<'a>([(&'a Board, Glance); NodeClass::ALL.len()]);

impl<'a> Boards<'a> {
    /// Of the nodes that serve the request's type and model.
    pub fn of(request: &RouteRequest, scene: Scene<'a>, now: Instant) -> Self {
        let [high, normal] = scene.topology.boards(request.request_type, &request.model);
        let glance = |board: &Board| board.glance(scene.policy, now);
        Self([(high, glance(high)), (normal, glance(normal))])
    }

    /// The board of one class.
    pub fn of_class(&self, class: NodeClass) -> &(&'a Board, Glance) {
        &self.0[class as usize]
    }

    /// What each told.
    pub fn glances(&self) -> [&Glance; NodeClass::ALL.len()] {
        self.0.each_ref().map(|(_, glance)| glance)
    }
}

/// All nodes of a class, in order of their ids.
pub fn view<'a>(class: NodeClass, boards: &Boards<'a>, scene: Scene<'_>, now: Instant) -> Vec<View<'a>> {
    let (board, glance) = boards.of_class(class);
    let rows = board.read_again(glance.version, scene.policy, now);
    (0..board.nodes().len()).map(|place| View::of(board, &rows, place)).collect()
}
