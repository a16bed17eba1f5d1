//! Of many who ask the same at the same moment, whose request goes to a node?
//!
//! The first that is routed leads until its lease ends; the others wait, around the core, for its answer. Every claim
//! that succeeds is a new *term*, and only who holds the term can prolong or end it: an outcome that comes late, for a
//! leader before this one, finds another term and does nothing. A leader that says nothing more is over when its time is.

use std::{
    num::NonZeroU64,
    sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
};

use dashmap::{DashMap, Entry};

use super::Claim;
use crate::domain::{
    answer::{Answer, Leader},
    digest::{AsIs, Digest},
    time::Instant,
};

/// Questions that are on their way to a node.
#[derive(Debug, Default)]
pub(super) struct Leaders {
    /// Written by `claim`; a term dies by its outcome, by the store of its answer, by another claim, or in `sweep`.
    terms: DashMap<Digest, Term, AsIs>,
    /// Entries of `terms`; at most `leaders_max`.
    count: AtomicUsize,
    claims: AtomicU64,
}

#[derive(Debug)]
struct Term {
    number: NonZeroU64,
    leader: Leader,
}

/// The right to prolong or end one term; its lease keeps it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leadership {
    question: Digest,
    term: NonZeroU64,
}

impl Leaders {
    /// Terms that are kept, those included whose time is over since the last sweep.
    pub(super) fn count(&self) -> usize {
        self.count.load(Relaxed)
    }

    /// `answered` is asked under the question's lock: a store puts the answer first and ends the term then, so who finds
    /// no leader here would find the answer, and must look.
    pub(super) fn claim(
        &self,
        question: Digest,
        candidate: Leader,
        leaders_max: usize,
        now: Instant,
        answered: impl Fn() -> Option<Answer>,
    ) -> Claim {
        let entry = self.terms.entry(question);
        if let Entry::Occupied(held) = &entry {
            let leader = &held.get().leader;
            if now < leader.until && leader.request != candidate.request {
                return Claim::Follows(leader.clone());
            }
        }
        if let Some(answer) = answered() {
            return Claim::Answered(answer);
        }
        let number = NonZeroU64::MIN.saturating_add(self.claims.fetch_add(1, Relaxed));
        let term = Term { number, leader: candidate };
        match entry {
            Entry::Occupied(mut held) => {
                held.insert(term);
            }
            Entry::Vacant(vacant) => {
                let room = |count| (count < leaders_max).then_some(count + 1);
                if self.count.fetch_update(Relaxed, Relaxed, room).is_err() {
                    return Claim::Alone;
                }
                vacant.insert(term);
            }
        }
        Claim::Leads(Leadership { question, term: number })
    }

    pub(super) fn pending(&self, question: Digest, now: Instant) -> Option<Leader> {
        let term = self.terms.get(&question)?;
        (now < term.leader.until).then(|| term.leader.clone())
    }

    /// Moves the end of a term, either way.
    pub(super) fn renew(&self, leadership: Leadership, until: Instant) {
        if let Some(mut term) = self.terms.get_mut(&leadership.question)
            && term.number == leadership.term
        {
            term.leader.until = until;
        }
    }

    /// Ends this term.
    pub(super) fn resign(&self, leadership: Leadership) {
        let own = |_: &Digest, term: &Term| term.number == leadership.term;
        let removed = self.terms.remove_if(&leadership.question, own);
        self.count.fetch_sub(usize::from(removed.is_some()), Relaxed);
    }

    /// Ends whatever term the question has.
    pub(super) fn remove(&self, question: Digest) {
        let removed = self.terms.remove(&question);
        self.count.fetch_sub(usize::from(removed.is_some()), Relaxed);
    }

    /// Lets go of terms whose time is over.
    pub(super) fn sweep(&self, now: Instant) {
        self.terms.retain(|_, term| {
            let stays = now < term.leader.until;
            self.count.fetch_sub(usize::from(!stays), Relaxed);
            stays
        });
    }
}
