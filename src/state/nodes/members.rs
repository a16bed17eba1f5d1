//! Which nodes serve which requests? Known for one topology, so that no pick compares names with all nodes.

use std::{
    collections::HashMap,
    sync::{Arc, OnceLock},
};

use foldhash::quality::RandomState;

use super::{board::Board, node::Node};
use crate::domain::{
    id::ModelName,
    node::{NodeClass, RequestType},
};

/// The nodes of each pool.
#[derive(Debug, Default)]
pub(super) struct Pools {
    /// By type: those of each model that some node names, with those that serve any.
    named: [HashMap<ModelName, Pool, RandomState>; RequestType::NAMES.len()],
    /// By type: those that serve any model.
    any: [Pool; RequestType::NAMES.len()],
}

/// The nodes of one pool.
#[derive(Debug, Default)]
pub(super) struct Pool {
    /// Their places, ascending.
    places: Vec<u32>,
    /// Those of each class, once somebody has asked for them.
    boards: [OnceLock<Board>; NodeClass::ALL.len()],
}

impl Pool {
    /// Those of one class, of all nodes; the pool is of this type.
    pub(super) fn board(&self, class: NodeClass, request_type: RequestType, all: &[Arc<Node>]) -> &Board {
        self.boards[class as usize].get_or_init(|| {
            let of_class = |place: &&u32| all[**place as usize].spec.class == class;
            let places: Vec<_> = self.places.iter().filter(of_class).copied().collect();
            Board::of(&places, request_type, all)
        })
    }
}

impl Pools {
    /// The pools of these nodes.
    pub(super) fn of(nodes: &[Arc<Node>]) -> Self {
        let mut pools = Self::default();
        for (request_type, _) in RequestType::NAMES {
            let index = request_type as usize;
            let serves_type = |node: &Node| node.spec.endpoints.contains_key(&request_type);
            let of_type = || (0_u32..).zip(nodes).filter(|(_, node)| serves_type(node));
            let named = of_type().flat_map(|(_, node)| &node.spec.models);
            pools.named[index] = named.map(|model| (model.name.clone(), Pool::default())).collect();
            for (place, node) in of_type() {
                pools.join(request_type, place, node);
            }
        }
        pools
    }

    fn join(&mut self, request_type: RequestType, place: u32, node: &Node) {
        let named = &mut self.named[request_type as usize];
        if node.spec.models.is_empty() {
            self.any[request_type as usize].places.push(place);
            for pool in named.values_mut() {
                pool.places.push(place);
            }
        }
        for model in node.spec.models.iter().filter(|model| model.serves(request_type)) {
            // A node may name a model twice.
            if let Some(pool) = named.get_mut(&model.name).filter(|pool| pool.places.last() != Some(&place)) {
                pool.places.push(place);
            }
        }
    }

    /// The nodes that serve the type and the model.
    pub(super) fn get(&self, request_type: RequestType, model: &ModelName) -> &Pool {
        let index = request_type as usize;
        self.named[index].get(model).unwrap_or(&self.any[index])
    }
}

#[cfg(test)]
mod tests;
