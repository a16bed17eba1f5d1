use std::num::NonZeroU64;

use super::*;
use crate::domain::{
    id::{ModelName, NodeId, TenantId},
    node::NodeSpec,
    policy::Policy,
    prefix::KvRun,
};

const NOW: Instant = Instant::from_nanos(1_000_000_000);

struct Fleet {
    table: NodeTable,
    policy: Policy,
    session: Session,
}

impl Fleet {
    /// One node whose cache holds ten blocks.
    fn new() -> Self {
        let (table, policy) = (NodeTable::default(), Policy::default());
        let session = table.attend(node(), &policy, NOW).expect("there is room");
        Self { table, policy, session }
    }

    fn hear(&self, session: &Session, cleared: bool, changes: Vec<KvChange>) {
        let events = KvEvents { cleared, changes };
        self.table.hear_cache(session, &events, Digester::default(), &self.policy.prefixes, NOW);
    }

    fn held(&self) -> u32 {
        let node = self.table.get(&self.session.id).expect("it is there");
        node.live.occupancy.as_ref().map_or(0, |occupancy| occupancy.held())
    }
}

fn node() -> NodeSpec {
    let spec = NodeSpec::of(NodeId::parse("n1").expect("a good id"));
    NodeSpec { kv_tokens: NonZeroU64::new(2560), ..spec }
}

fn change(removed: &[u64], parent: Option<u64>, blocks: &[u64]) -> KvChange {
    KvChange {
        tenant: TenantId::parse("acme").expect("a good name"),
        model: ModelName::parse("m").expect("a good name"),
        adapter: None,
        removed: removed.to_vec(),
        stored: vec![KvRun { parent, blocks: blocks.to_vec() }],
    }
}

#[test]
fn what_is_stored_is_held_until_it_is_removed_or_all_is_cleared() {
    let fleet = Fleet::new();
    fleet.hear(&fleet.session, false, vec![change(&[], None, &[1, 2, 3]), change(&[], Some(2), &[4, 5])]);
    assert_eq!(fleet.held(), 5);
    fleet.hear(&fleet.session, false, vec![change(&[4], None, &[6])]);
    assert_eq!(fleet.held(), 4, "with a block goes what follows it");
    fleet.hear(&fleet.session, true, vec![change(&[], None, &[7])]);
    assert_eq!(fleet.held(), 1);
}

#[test]
fn no_more_is_held_than_the_cache_holds() {
    let fleet = Fleet::new();
    let many: Vec<_> = (1..=40).collect();
    fleet.hear(&fleet.session, false, vec![change(&[], None, &many)]);
    assert_eq!(fleet.held(), 10);
}

#[test]
fn only_the_stream_that_speaks_for_the_node_is_heard() {
    let fleet = Fleet::new();
    let older = fleet.session.clone();
    let newer = fleet.table.attend(node(), &fleet.policy, NOW).expect("there is room");
    fleet.hear(&older, false, vec![change(&[], None, &[1])]);
    assert_eq!(fleet.held(), 0);
    fleet.hear(&newer, false, vec![change(&[], None, &[1])]);
    assert_eq!(fleet.held(), 1);
}
