//! How does a prompt come to a node?

use super::{Forest, Hold, Run, count, finder, search::shared_blocks};
use crate::{
    domain::prefix::BlockKey,
    state::nodes::prefixes::{
        lively::TICKS,
        occupancy::{Occupancy, Renewals},
        slab::NONE,
    },
};

/// A prompt that is being placed, as far as it is not yet.
struct Chain<'a> {
    holder: u16,
    left: &'a [BlockKey],
    /// The run that it has come through last, and the holder's hold of that.
    run: u32,
    hold: u32,
    tick: u32,
    renewals: Renewals,
    has_changed: bool,
}

impl Forest {
    /// The node has this prompt: adds what it lacks and renews the rest. Says too whether that has changed anything; what the
    /// node holds then is not published yet.
    pub(in crate::state::nodes::prefixes) fn place(
        &mut self,
        occupancy: &Occupancy,
        blocks: &[BlockKey],
        tick: u32,
    ) -> (Renewals, bool) {
        let holder = occupancy.number();
        if occupancy.held() as usize + blocks.len() > occupancy.capacity() as usize {
            self.ask_for_oldest(holder);
        }
        if let Some(holder) = self.holder(holder) {
            holder.lively.advance(tick);
        }
        let renewals = Renewals::default();
        let mut chain =
            Chain { holder, left: blocks, run: NONE, hold: NONE, tick, renewals, has_changed: false };
        while self.step(&mut chain).is_some() {}
        (chain.renewals, chain.has_changed)
    }

    /// Goes on by a run; `None` where the chain ends.
    fn step(&mut self, chain: &mut Chain<'_>) -> Option<()> {
        let block = *chain.left.first()?;
        // For a run that is split, and one that is new.
        if !self.runs.has_room(2) || !self.holds.has_room(2) {
            return None;
        }
        let Some(run) = self.head(block) else { return self.add(chain) };
        if self.runs[run].parent != chain.run {
            return None;
        }
        self.follow(run, chain)
    }

    /// Follows a run as far as the chain does.
    fn follow(&mut self, run: u32, chain: &mut Chain<'_>) -> Option<()> {
        let shared = shared_blocks(&self.runs[run].blocks, chain.left);
        let known = self.find(run, chain.holder);
        // How often prompts are renewed within a tick makes them no dearer to keep, and a popular one is renewed thousands of
        // times a second. (memcached bumps an item at most once a minute, for the same reason.)
        let is_used = known.is_some_and(|hold| self.holds[hold].used >= chain.tick);
        let held = known.map_or(0, |hold| self.holds[hold].length as usize);
        // What follows hangs at an end; and what the chain does not use keeps its age.
        let parts =
            shared < self.runs[run].blocks.len() && (shared < chain.left.len() || shared < held && !is_used);
        let (run, known) = if parts {
            let first = self.split(run, shared)?;
            (first, self.find(first, chain.holder))
        } else {
            (run, known)
        };
        let hold = match known {
            Some(hold) => {
                self.renew(hold, count(held.min(shared)), is_used, chain);
                hold
            }
            None => self.hold(run, chain)?,
        };
        self.lengthen(hold, count(shared), chain);
        (chain.run, chain.hold, chain.left) = (run, hold, &chain.left[shared..]);
        Some(())
    }

    /// Uses a hold again. What was used in this tick already stays where it is.
    fn renew(&mut self, hold: u32, count: u32, is_used: bool, chain: &mut Chain<'_>) {
        if is_used {
            return chain.renewals.add(count, 0.0);
        }
        let used = std::mem::replace(&mut self.holds[hold].used, chain.tick);
        chain.renewals.add(count, f64::from(chain.tick.saturating_sub(used)) / TICKS);
        chain.has_changed = true;
        if let Some(holder) = self.holder(chain.holder) {
            holder.lively.remove(used, count);
            holder.lively.add(count);
        }
        self.unlink(hold);
        self.link_behind(hold, chain.hold);
    }

    /// Adds what is left of the chain, which nobody holds: to the run before, where that is the holder's alone and nothing
    /// follows it, or as a run of its own.
    fn add(&mut self, chain: &mut Chain<'_>) -> Option<()> {
        let blocks = std::mem::take(&mut chain.left);
        let goes_on =
            chain.hold != NONE && self.holds[chain.hold].children == 0 && self.runs[chain.run].holders == 1;
        let hold = if goes_on { self.prolong(blocks, chain) } else { self.begin(blocks, chain)? };
        self.lengthen(hold, count(self.runs[self.holds[hold].run].blocks.len()), chain);
        None
    }

    /// The chain's last run goes on with these.
    fn prolong(&mut self, blocks: &[BlockKey], chain: &Chain<'_>) -> u32 {
        let before = self.runs[chain.run].blocks.len();
        self.change_blocks(chain.run, |known| {
            known.reserve_exact(blocks.len());
            known.extend_from_slice(blocks);
        });
        self.tell_from(chain.run, before);
        chain.hold
    }

    /// A new run begins with these.
    fn begin(&mut self, blocks: &[BlockKey], chain: &Chain<'_>) -> Option<u32> {
        let mut known = self.take_room(blocks.len());
        known.extend_from_slice(blocks);
        self.room += known.capacity();
        let run = Run {
            head: blocks[0],
            blocks: known,
            parent: chain.run,
            first: NONE,
            holders: 0,
            is_told: false,
        };
        let run = self.runs.add(run)?;
        self.heads.insert(finder::of_block(blocks[0]), run);
        self.hold(run, chain)
    }

    /// A new hold of a run, of no blocks yet, behind the chain's last one.
    fn hold(&mut self, run: u32, chain: &Chain<'_>) -> Option<u32> {
        let Chain { holder, hold: parent, tick: used, .. } = *chain;
        let hold = self.holds.add(Hold { holder, parent, used, keeps: NONE, ..Hold::default() })?;
        if parent != NONE {
            self.holds[parent].children += 1;
        }
        self.join_peers(run, hold);
        self.link_behind(hold, parent);
        self.tell_for(run, holder);
        Some(hold)
    }

    /// The holder has so many blocks of the run from now on; no fewer than before.
    fn lengthen(&mut self, hold: u32, length: u32, chain: &mut Chain<'_>) {
        let added = length.saturating_sub(self.holds[hold].length);
        if added == 0 {
            return;
        }
        chain.has_changed = true;
        self.holds[hold].length += added;
        self.held += added as usize;
        if let Some(holder) = self.holder(chain.holder) {
            holder.held += added;
            holder.lively.add(added);
        }
    }
}
