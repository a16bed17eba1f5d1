//! Is the answer to this request known already, or on its way?

use super::Turn;
use crate::{
    domain::{
        answer::{Answer, Leader, Lookup},
        decision::CachedAnswer,
        explanation::AnswerVerdict,
        request::{AnswerUse, RouteRequest},
    },
    state::{State, answers::Question},
};

/// What is known of a request's answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Known {
    /// Not asked: the request does not say what it asks for, or wants a new answer.
    Unasked,
    /// It is known.
    Fresh(Answer),
    /// An old one is known, and maybe a new one on its way.
    Stale(Answer, Option<Leader>),
    /// An identical request is on its way to it.
    Pending(Leader),
    /// It is not known.
    Miss,
}

/// Looks for the answer. Changes nothing.
pub fn reuse(request: &RouteRequest, question: Option<&Question>, state: &State, turn: &Turn) -> Known {
    let Some(key) = question.filter(|_| request.answer_use != AnswerUse::Refresh) else {
        return Known::Unasked;
    };
    // Nobody waits for itself: the leader may be trying again.
    let leader = || state.answers.pending(key, turn.now).filter(|leader| leader.request != request.key);
    match state.answers.peek(key, turn.now) {
        Lookup::Fresh(answer) => Known::Fresh(answer),
        Lookup::Stale(answer) => Known::Stale(answer, leader()),
        Lookup::Miss => leader().map_or(Known::Miss, Known::Pending),
    }
}

impl Known {
    /// The identical request that is on its way.
    pub fn leader(&self) -> Option<&Leader> {
        match self {
            Self::Stale(_, Some(leader)) | Self::Pending(leader) => Some(leader),
            _ => None,
        }
    }

    /// What an explanation says of it.
    pub fn verdict(&self) -> Option<AnswerVerdict> {
        match self {
            Self::Unasked => None,
            Self::Fresh(_) => Some(AnswerVerdict::Fresh),
            Self::Stale(..) => Some(AnswerVerdict::Stale),
            Self::Pending(_) => Some(AnswerVerdict::Pending),
            Self::Miss => Some(AnswerVerdict::Miss),
        }
    }
}

/// An answer, as it is given.
pub fn given(answer: &Answer, turn: &Turn) -> CachedAnswer {
    CachedAnswer {
        body: answer.body.clone(),
        age: turn.now.since(answer.stored_at),
        stale: turn.now >= answer.lifetime.fresh_until,
        coalesced: false,
    }
}
