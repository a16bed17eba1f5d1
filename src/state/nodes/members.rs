//! Which nodes serve which requests? Known for one topology, so that no pick compares names with all nodes.

use std::{collections::HashMap, sync::Arc};

use super::node::Node;
use crate::domain::{id::ModelName, node::RequestType};

/// The nodes of each pool by their places, ascending.
#[derive(Debug, Default)]
pub(super) struct Pools {
    /// By type: those of each model that some node names, with those that serve any.
    named: [HashMap<ModelName, Vec<u32>>; RequestType::NAMES.len()],
    /// By type: those that serve any model.
    any: [Vec<u32>; RequestType::NAMES.len()],
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
            pools.named[index] = named.map(|model| (model.name.clone(), Vec::new())).collect();
            for (place, node) in of_type() {
                pools.join(request_type, place, node);
            }
        }
        pools
    }

    fn join(&mut self, request_type: RequestType, place: u32, node: &Node) {
        let named = &mut self.named[request_type as usize];
        if node.spec.models.is_empty() {
            self.any[request_type as usize].push(place);
            for pool in named.values_mut() {
                pool.push(place);
            }
        }
        for model in node.spec.models.iter().filter(|model| model.serves(request_type)) {
            // A node may name a model twice.
            if let Some(pool) = named.get_mut(&model.name).filter(|pool| pool.last() != Some(&place)) {
                pool.push(place);
            }
        }
    }

    /// The nodes that serve the type and the model.
    pub(super) fn get(&self, request_type: RequestType, model: &ModelName) -> &[u32] {
        let index = request_type as usize;
        self.named[index].get(model).unwrap_or(&self.any[index])
    }
}

#[cfg(test)]
mod tests;
