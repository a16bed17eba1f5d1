//! What do agents tell of what their nodes' caches hold?

use super::{NodeTable, Session, node::Node};
use crate::domain::{
    digest::Digester,
    prefix::{KvChange, KvEvents, PrefixPolicy, scope::BlockScope},
    time::Instant,
};

impl NodeTable {
    /// Corrects what the index has of a node's cache. Passed over where another stream speaks for the node by now.
    pub fn hear_cache(
        &self,
        session: &Session,
        events: &KvEvents,
        digester: Digester,
        policy: &PrefixPolicy,
        now: Instant,
    ) {
        // Most reports tell nothing of it.
        if *events == KvEvents::default() {
            return;
        }
        let spoken_for = |node: &Node| node.live.is_spoken_for_by(session.number);
        if let Some(node) = self.get(&session.id).filter(|node| spoken_for(node)) {
            if events.cleared
                && let Some(occupancy) = &node.live.occupancy
            {
                self.prefixes.clear(occupancy);
            }
            for change in &events.changes {
                self.change_cache(&node, change, digester, policy, now);
            }
        }
    }

    fn change_cache(
        &self,
        node: &Node,
        change: &KvChange,
        digester: Digester,
        policy: &PrefixPolicy,
        now: Instant,
    ) {
        let Some(occupancy) = node.live.occupancy.as_deref() else { return };
        let KvChange { tenant, model, adapter, removed, stored } = change;
        let scope = BlockScope { tenant, model, adapter: adapter.as_ref() };
        let keys = |hashes: &[u64]| scope.of_hashes(hashes, &digester);
        self.prefixes.removed(occupancy, &keys(removed));
        self.fit(node, policy);
        for run in stored {
            let parent = keys(run.parent.as_slice()).first().copied();
            self.prefixes.stored(occupancy, parent, &keys(&run.blocks), policy.bytes_max, now);
        }
    }

    /// Lets the index keep as much of a node as its cache holds, by what is known now.
    pub fn fit(&self, node: &Node, policy: &PrefixPolicy) {
        if let Some(occupancy) = &node.live.occupancy {
            let vitals = node.live.vitals();
            let load = vitals.load.as_ref().map(|reported| &*reported.load);
            self.prefixes.resize(occupancy, node.cache_blocks(load, policy));
        }
    }
}

#[cfg(test)]
mod tests;
