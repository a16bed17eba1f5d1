//! Has this question been answered lately, or is somebody asking it right now?
//!
//! Answers are bounded in bytes, and which ones go when there are too many is moka's affair (`TinyLFU`: a question
//! asked once does not push out one that is asked often). When they expire is ours: every answer carries its moments,
//! and `now` is an argument, so that a simulation and the service live in the same time.
//!
//! Keys are digests of the tenant and its question, under a secret: no tenant can name, meet or guess what is another's.

mod body;
mod entry;
mod leaders;
mod tally;

use std::sync::Arc;

use moka::{notification::RemovalCause, ops::compute::Op, sync::Cache};

use crate::domain::{
    answer::{
        Answer, AnswerKey, Leader, Lifetime, Lookup, NewAnswer, PurgeScope, StoreRefusal,
        policy::AnswerPolicy,
    },
    digest::{AsIs, Digest, Digester},
    explanation::AnswerVerdict,
    id::{ModelName, ModelVersion, TenantId},
    outcome::OutcomeResult,
    request::RequestKey,
    time::{Chance, Instant},
};
use entry::{Entry, Key, Mark, Marks};
use leaders::Leaders;
use tally::Tally;

pub use leaders::Leadership;
pub use tally::AnswerStats;

/// Kept answers, and the questions that are on their way to a node.
#[derive(Debug)]
pub struct Answers {
    digester: Digester,
    /// Written by `store`; an entry dies by purge, by a lookup past its time, or by eviction.
    kept: Cache<Key, Entry, AsIs>,
    leaders: Leaders,
    tally: Arc<Tally>,
}

/// What came of a claim to lead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// The request goes to a node, and others wait for its answer.
    Leads(Leadership),
    /// The request goes to a node and nobody waits for it: as many questions have a leader as may.
    Alone,
    /// Another request leads.
    Follows(Leader),
    /// A fresh answer was stored since the lookup.
    Answered(Answer),
}

/// A question, digested once for all that is asked about it.
#[derive(Debug, Clone)]
pub struct Question {
    digest: Digest,
    tenant: TenantId,
}

impl Answers {
    /// Keeps at most so many bytes of answers, counting what it takes to find them.
    ///
    /// The bound holds for life: moka cannot change it, so another `bytes_max` in a reload needs a restart. With 0
    /// nothing is kept.
    pub fn new(digester: Digester, bytes_max: u64) -> Self {
        let tally = Arc::new(Tally::default());
        let evicted = Arc::clone(&tally);
        let kept = Cache::builder()
            .max_capacity(bytes_max)
            .weigher(|_, entry: &Entry| entry.weight())
            .eviction_listener(move |_, _, cause| {
                if cause == RemovalCause::Size {
                    evicted.count_evicted();
                }
            })
            .build_with_hasher(AsIs::default());
        Self { digester, kept, leaders: Leaders::default(), tally }
    }

    /// The question whose answer has this name.
    pub fn question(&self, key: &AnswerKey) -> Question {
        Question { digest: self.digest(key), tenant: key.scope.tenant.clone() }
    }

    /// Looks for an answer. Counts nothing and drops nothing; moka takes note of the use.
    pub fn peek(&self, question: &Question, now: Instant) -> Lookup {
        self.find(question.digest, now)
    }

    /// Counts what a decision made of a question, and lets go of what has had its time.
    pub fn note(&self, question: &Question, verdict: AnswerVerdict, now: Instant) {
        if verdict == AnswerVerdict::Miss {
            self.drop_expired(question, now);
        }
        self.tally.count(verdict);
    }

    /// Keeps an answer in place of an older one, and ends the wait for it. A refused one ends the wait too: nothing
    /// will come of it.
    pub fn store(
        &self,
        key: &AnswerKey,
        answer: &NewAnswer,
        policy: &AnswerPolicy,
        now: Instant,
        chance: &mut Chance,
    ) -> Result<Lifetime, StoreRefusal> {
        let digest = self.digest(key);
        let kept = policy.check(&answer.body).map(|()| {
            let lifetime = policy.lifetime(key.scope.request_type, answer, now, chance);
            let marks = Marks::of(&self.digester, &key.scope);
            let slot = Key::new(digest, &self.digester, &key.scope.tenant);
            self.put(slot, Entry::new(&answer.body, now, lifetime, marks))
        });
        // After the answer is there: who finds no leader from here on finds the answer.
        self.leaders.remove(digest);
        kept
    }

    /// Lets answers go and says how many. None that was stored before is served after it returns; one that is stored
    /// while it runs may go as well.
    ///
    /// One answer costs nothing; every other scope reads all entries, and should not run where picks are served.
    pub fn purge(&self, scope: &PurgeScope) -> u64 {
        let purged = match scope {
            PurgeScope::Tenant(tenant) => self.purge_marked(tenant, None, None),
            PurgeScope::Model(tenant, model) => self.purge_marked(tenant, Some(model), None),
            PurgeScope::Version(tenant, model, version) => {
                self.purge_marked(tenant, Some(model), Some(version))
            }
            PurgeScope::Answer(key) => u64::from(self.kept.remove(&self.digest(key)).is_some()),
        };
        self.tally.count_purged(purged);
        purged
    }

    /// Makes a request the leader of its question until its lease ends. Of all that claim at the same moment exactly
    /// one leads. A leader that claims again, for another attempt, leads on; its earlier [`Leadership`] is void.
    pub fn claim(
        &self,
        question: &Question,
        request: &RequestKey,
        until: Instant,
        policy: &AnswerPolicy,
        now: Instant,
    ) -> Claim {
        let digest = question.digest;
        let answered = || match self.kept.contains_key(&digest).then(|| self.find(digest, now)) {
            Some(Lookup::Fresh(answer)) => Some(answer),
            _ => None,
        };
        let candidate = Leader { request: request.clone(), until };
        self.leaders.claim(digest, candidate, policy.leaders_max, now, answered)
    }

    /// The request that leads this question, if there is one.
    pub fn pending(&self, question: &Question, now: Instant) -> Option<Leader> {
        self.leaders.pending(question.digest, now)
    }

    /// The leader's lease was renewed. Does nothing if it leads no longer.
    pub fn renew(&self, leadership: Leadership, until: Instant) {
        self.leaders.renew(leadership, until);
    }

    /// The leader's lease ended with this result: after a good one the others wait a little for the answer to be
    /// stored, after any other they no longer wait. Does nothing if it leads no longer.
    pub fn settle(&self, leadership: Leadership, result: OutcomeResult, policy: &AnswerPolicy, now: Instant) {
        match result {
            OutcomeResult::Running => {}
            OutcomeResult::Ok => self.leaders.renew(leadership, now + policy.store_grace),
            OutcomeResult::Failed
            | OutcomeResult::Timeout
            | OutcomeResult::Overloaded
            | OutcomeResult::Cancelled => self.leaders.resign(leadership),
        }
    }

    /// Counts a request that was answered by waiting for its leader.
    pub fn count_coalesced(&self) {
        self.tally.count_coalesced();
    }

    /// Lets go of leaders whose time is over, and lets moka catch up with its evictions.
    pub fn sweep(&self, now: Instant) {
        self.leaders.sweep(now);
        self.kept.run_pending_tasks();
    }

    /// Counts since the start, and how much is kept; `entries` and `bytes` lag behind until the next
    /// [`sweep`](Self::sweep).
    pub fn stats(&self) -> AnswerStats {
        let entries = self.kept.entry_count();
        self.tally.stats(entries, self.kept.weighted_size(), self.leaders.count())
    }

    fn digest(&self, key: &AnswerKey) -> Digest {
        self.digester.digest_whole(key)
    }

    fn find(&self, digest: Digest, now: Instant) -> Lookup {
        self.kept.get(&digest).map_or(Lookup::Miss, |entry| entry.at(now))
    }

    /// Both ways of writing go through moka's lock of the key: an answer that comes in just when its predecessor is
    /// dropped is not dropped with it.
    fn put(&self, slot: Key, entry: Entry) -> Lifetime {
        let lifetime = entry.lifetime();
        self.kept.entry(slot).and_compute_with(|_| Op::Put(entry));
        self.tally.count_stored();
        lifetime
    }

    fn drop_expired(&self, question: &Question, now: Instant) {
        if !self.kept.contains_key(&question.digest) {
            return;
        }
        let slot = Key::new(question.digest, &self.digester, &question.tenant);
        self.kept.entry(slot).and_compute_with(|found| match found {
            Some(found) if found.value().at(now) == Lookup::Miss => Op::Remove,
            _ => Op::Nop,
        });
    }

    /// Moka's iterator meets every entry that is there from its beginning to its end, even while the table grows.
    fn purge_marked(
        &self,
        tenant: &TenantId,
        model: Option<&ModelName>,
        version: Option<&ModelVersion>,
    ) -> u64 {
        let wanted = Mark::of(&self.digester, tenant, model, version);
        let matching = self.kept.iter().filter(|(key, entry)| wanted.is_on(key, entry));
        let removed = matching.filter(|(key, _)| self.kept.remove(key.as_ref()).is_some());
        u64::try_from(removed.count()).expect("a count of entries fits")
    }
}

#[cfg(test)]
mod tests;
