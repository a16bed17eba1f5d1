//! What of the cache has the service not been told yet?
//!
//! Only the difference is kept: a block that came and went between two reports is not told at all. What is on its
//! way counts as told once the service has applied its report; of a report that was dropped everything is told again.
//!
//! The service takes a block only after the one that it follows, and forgets with a block all that follow it. So a block is
//! told before those that follow it, and when it comes back, so are they.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use super::mirror::Scope;
use crate::{
    domain::prefix::KvEvents as Bounds,
    proto::{KvChange, KvEvents, KvRun},
};

/// Blocks, as the engine has them and as the service knows them.
#[derive(Debug, Default)]
pub(super) struct Journal {
    /// Those that the engine has, the service knows, or both.
    blocks: HashMap<u64, Block>,
    /// Which follow which: pairs of a block and one after it.
    followers: BTreeSet<(u64, u64)>,
    /// Those of which the service is to be told, by when they changed: a block before those that follow it.
    untold: BTreeMap<u64, u64>,
    changes: u64,
    /// Whether the service is to be told that all is gone, before anything else.
    cleared: bool,
    /// Whether the engine has no block but those that are known here. Not so where it was there before the agent.
    is_complete: bool,
    /// What is on its way.
    sent: Option<Sent>,
}

#[derive(Debug)]
struct Block {
    scope: Arc<Scope>,
    parent: Option<u64>,
    is_held: bool,
    /// What the service knows of that; `None` where nobody knows what it knows.
    told: Option<bool>,
    /// Where it stands among the untold.
    change: u64,
}

/// What one report carries.
#[derive(Debug)]
struct Sent {
    report: i64,
    cleared: bool,
    blocks: HashMap<u64, SentBlock>,
}

#[derive(Debug)]
struct SentBlock {
    /// Whether the report says that the engine has it.
    is_held: bool,
    /// Where it stood among the untold. It stands elsewhere once there is more to tell of it.
    change: u64,
}

impl Journal {
    /// The engine has this block, after another or at the beginning of a prompt.
    pub(super) fn store(&mut self, scope: &Arc<Scope>, parent: Option<u64>, block: u64) {
        let new = || Block { scope: Arc::clone(scope), parent, is_held: false, told: Some(false), change: 0 };
        self.blocks.entry(block).or_insert_with(new);
        self.followers.extend(parent.map(|parent| (parent, block)));
        self.set_held(block, true);
    }

    /// The engine has this block no longer.
    pub(super) fn remove(&mut self, block: u64) {
        self.set_held(block, false);
    }

    /// The engine has none of its blocks any more.
    pub(super) fn clear(&mut self) {
        *self = Self { changes: self.changes, cleared: true, is_complete: true, ..Self::default() };
    }

    /// The service may know nothing any more, or what is no longer so: it is told everything again. What it knows of blocks
    /// that are not known here it keeps, unless there are none.
    pub(super) fn begin(&mut self) {
        self.sent = None;
        if self.is_complete {
            self.cleared = true;
            let gone: Vec<_> =
                self.blocks.iter().filter(|(_, block)| !block.is_held).map(|(b, _)| *b).collect();
            for name in gone {
                self.forget(name);
            }
        }
        for name in self.beginnings_first() {
            self.doubt(name);
        }
    }

    /// All blocks, in the order in which they changed, but each after the one that it follows.
    fn beginnings_first(&self) -> Vec<u64> {
        let by_change: BTreeMap<_, _> =
            self.blocks.iter().map(|(name, block)| (block.change, *name)).collect();
        let (mut seen, mut ordered) = (HashSet::new(), Vec::with_capacity(self.blocks.len()));
        for name in by_change.into_values() {
            let mut before = Vec::new();
            let mut next = Some(name);
            while let Some((name, block)) = next.and_then(|name| self.blocks.get_key_value(&name))
                && seen.insert(*name)
            {
                before.push(*name);
                next = block.parent;
            }
            ordered.extend(before.into_iter().rev());
        }
        ordered
    }

    /// What is untold, as much of it as a report may carry; nothing while something is on its way.
    pub(super) fn events(&mut self, report: i64) -> Option<KvEvents> {
        if self.sent.is_some() || (self.untold.is_empty() && !self.cleared) {
            return None;
        }
        let names: Vec<u64> = self.untold.values().take(Bounds::BLOCKS_MAX).copied().collect();
        let mut told: Vec<(Arc<Scope>, KvChange)> = Vec::new();
        for name in &names {
            let block = &self.blocks[name];
            let known = told.iter().position(|(scope, _)| *scope == block.scope);
            let place = known.unwrap_or_else(|| {
                told.push((Arc::clone(&block.scope), of_scope(&block.scope)));
                told.len() - 1
            });
            tell(&mut told[place].1, *name, block);
        }
        let sent = |block: &Block| SentBlock { is_held: block.is_held, change: block.change };
        let blocks = names.into_iter().map(|name| (name, sent(&self.blocks[&name]))).collect();
        self.sent = Some(Sent { report, cleared: self.cleared, blocks });
        Some(KvEvents {
            cleared: self.cleared,
            changes: told.into_iter().map(|(_, change)| change).collect(),
        })
    }

    /// The service has applied its reports up to this one.
    pub(super) fn told(&mut self, up_to: i64) {
        let Some(sent) = self.sent.take_if(|sent| sent.report <= up_to) else { return };
        if sent.cleared {
            self.cleared = false;
        }
        for (name, sent) in sent.blocks {
            self.count_as_told(name, &sent);
        }
    }

    /// Whether there is more to tell than one report carries, and nothing on its way.
    pub(super) fn is_behind(&self) -> bool {
        self.sent.is_none() && self.untold.len() > Bounds::BLOCKS_MAX
    }

    /// What was on its way has been dropped.
    pub(super) fn untold(&mut self) {
        self.sent = None;
    }

    /// The service knows what was so when the report was made. What has changed since it is still to be told.
    fn count_as_told(&mut self, name: u64, sent: &SentBlock) {
        let Some(block) = self.blocks.get_mut(&name) else { return };
        if block.change != sent.change {
            block.told = None;
            return;
        }
        block.told = Some(sent.is_held);
        self.untold.remove(&sent.change);
        if !sent.is_held {
            self.forget(name);
        }
    }

    fn set_held(&mut self, name: u64, is_held: bool) {
        let Some(block) = self.blocks.get_mut(&name).filter(|block| block.is_held != is_held) else { return };
        block.is_held = is_held;
        self.untold.remove(&block.change);
        let on_its_way = self.sent.as_ref().is_some_and(|sent| sent.blocks.contains_key(&name));
        if block.told != Some(is_held) || on_its_way {
            self.note(name);
            if is_held {
                self.doubt_followers(name);
            }
        } else if !is_held {
            self.forget(name);
        }
    }

    /// The block comes back to the service: those that follow it went with it.
    fn doubt_followers(&mut self, name: u64) {
        let mut before = vec![name];
        while let Some(name) = before.pop() {
            let followers: Vec<_> =
                self.followers.range((name, 0)..=(name, u64::MAX)).map(|pair| pair.1).collect();
            for follower in followers {
                match self.blocks.get_mut(&follower) {
                    Some(block) if block.is_held => self.doubt(follower),
                    // It may come back before the service hears that it went.
                    Some(block) => block.told = None,
                    None => {}
                }
                before.push(follower);
            }
        }
    }

    /// Nobody knows what the service knows of the block.
    fn doubt(&mut self, name: u64) {
        self.note(name);
        if let Some(block) = self.blocks.get_mut(&name) {
            block.told = None;
        }
    }

    /// The service is to be told of the block, after all others.
    fn note(&mut self, name: u64) {
        let Some(block) = self.blocks.get_mut(&name) else { return };
        self.untold.remove(&block.change);
        self.changes += 1;
        block.change = self.changes;
        self.untold.insert(self.changes, name);
    }

    /// Neither the engine has the block nor does the service know it.
    fn forget(&mut self, name: u64) {
        if let Some(block) = self.blocks.remove(&name) {
            self.untold.remove(&block.change);
            if let Some(parent) = block.parent {
                self.followers.remove(&(parent, name));
            }
        }
    }
}

fn of_scope(scope: &Scope) -> KvChange {
    KvChange {
        tenant: scope.tenant.to_string(),
        model: scope.model.to_string(),
        adapter: scope.adapter.as_ref().map(ToString::to_string).unwrap_or_default(),
        ..KvChange::default()
    }
}

fn tell(change: &mut KvChange, name: u64, block: &Block) {
    if !block.is_held {
        change.removed.push(name);
        return;
    }
    match change.stored.last_mut().filter(|run| run.blocks.last() == block.parent.as_ref()) {
        Some(run) if block.parent.is_some() => run.blocks.push(name),
        _ => change.stored.push(KvRun { parent_block: block.parent, blocks: vec![name] }),
    }
}

#[cfg(test)]
pub(super) mod tests;
