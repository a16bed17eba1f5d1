//! What an agent tells of its node's key-value cache.

use super::{Checks, Invalid, present, request::tenant};
use crate::{
    domain::{
        id::{AdapterName, ModelName},
        prefix::{KvChange, KvEvents, KvRun},
    },
    proto,
};

/// Checks what became of a cache; `field` is where it stands in the message. Absence means that nothing did.
pub fn kv_events(field: &str, told: Option<&proto::KvEvents>) -> Result<KvEvents, Invalid> {
    let Some(told) = told else { return Ok(KvEvents::default()) };
    let mut checks = Checks::of(field);
    let blocks: usize = told.changes.iter().map(blocks).sum();
    // Changes and runs without blocks cost as much to take in.
    let runs: usize = told.changes.iter().map(|change| 1 + change.stored.len()).sum();
    if blocks > KvEvents::BLOCKS_MAX || runs > 2 * KvEvents::BLOCKS_MAX {
        let most = KvEvents::BLOCKS_MAX;
        checks.refuse("changes", format!("must hold at most {most} blocks together, got {blocks}"));
        return checks.finish(None);
    }
    let numbered = told.changes.iter().enumerate();
    let changes = numbered.filter_map(|(number, told)| {
        let checked = change(told).map_err(|bad| bad.within(&format!("changes[{number}]")));
        checked.map_err(|bad| checks.refuse_all(bad)).ok()
    });
    let changes = changes.collect();
    checks.finish(Some(KvEvents { cleared: told.cleared, changes }))
}

fn blocks(change: &proto::KvChange) -> usize {
    change.removed.len() + change.stored.iter().map(|run| run.blocks.len()).sum::<usize>()
}

fn change(told: &proto::KvChange) -> Result<KvChange, Invalid> {
    let mut checks = Checks::new();
    let tenant = tenant(&mut checks, &told.tenant);
    let model = checks.check("model", ModelName::parse(&told.model));
    let adapter = checks.check_present("adapter", present(&told.adapter), AdapterName::parse);
    let empty = told.stored.iter().position(|run| run.blocks.is_empty());
    if let Some(empty) = empty {
        checks.refuse(format!("stored[{empty}].blocks"), "must hold at least one block");
    }
    let run = |run: &proto::KvRun| KvRun { parent: run.parent_block, blocks: run.blocks.clone() };
    let stored = told.stored.iter().map(run).collect();
    let removed = told.removed.clone();
    let named = tenant.zip(model);
    checks.finish(named.map(|(tenant, model)| KvChange { tenant, model, adapter, removed, stored }))
}

#[cfg(test)]
mod tests;
