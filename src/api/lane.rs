//! What of a stream of questions, or of a batch, is held in memory? Only what waits.
//!
//! Most are answered the moment they are asked. `buffer_unordered` would take in as many as may wait before it answers the first:
//! a client that sends and does not read would have the service hold them all.

use std::{
    pin::Pin,
    task::{Context, Poll, Waker},
};

use futures_util::{FutureExt, Stream, StreamExt, future::join_all, stream, stream::FuturesUnordered};

/// What comes of a question.
pub(super) enum Come<A> {
    /// Its answer.
    Now(A),
    /// It waits.
    Later(Pin<Box<dyn Future<Output = A> + Send>>),
}

impl<A: 'static> Come<A> {
    /// The same answer in other words.
    pub(super) fn map<B>(self, words: impl FnOnce(A) -> B + Send + 'static) -> Come<B> {
        match self {
            Self::Now(answer) => Come::Now(words(answer)),
            Self::Later(answer) => Come::Later(Box::pin(answer.map(words))),
        }
    }

    /// The answer, when it comes.
    pub(super) async fn come(self) -> A {
        match self {
            Self::Now(answer) => answer,
            Self::Later(answer) => answer.await,
        }
    }

    /// Looks whether it comes at once.
    pub(super) fn begin(self) -> Self {
        let Self::Later(mut answer) = self else { return self };
        // Who awaits it looks at it again, and is woken.
        match answer.poll_unpin(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(come) => Self::Now(come),
            Poll::Pending => Self::Later(answer),
        }
    }
}

/// The answers to a batch, `put` one after the other in its order. They are asked in that order too; those that wait, wait
/// together, and with them only what comes behind the first of them.
pub(super) fn all<Q, A: Send + 'static, W: Send + 'static>(
    asked: &[Q],
    answer: impl Fn(&Q) -> Come<A>,
    mut written: W,
    put: impl Fn(&mut W, A) + Send + 'static,
) -> Come<W> {
    let mut rest = Vec::new();
    for question in asked {
        match answer(question).begin() {
            Come::Now(come) if rest.is_empty() => put(&mut written, come),
            come => rest.push(come.come()),
        }
    }
    if rest.is_empty() {
        return Come::Now(written);
    }
    Come::Later(Box::pin(async move {
        join_all(rest).await.into_iter().for_each(|come| put(&mut written, come));
        written
    }))
}

/// Answers as they come; while `waiting_max` wait, and while nobody takes an answer, no more is asked.
pub(super) fn answers<A: 'static>(
    asked: impl Stream<Item = Come<A>> + Unpin,
    waiting_max: usize,
) -> impl Stream<Item = A> {
    let mut asked = asked.fuse();
    let mut waiting = FuturesUnordered::new();
    stream::poll_fn(move |cx| {
        loop {
            if let Poll::Ready(Some(come)) = waiting.poll_next_unpin(cx) {
                return Poll::Ready(Some(come));
            }
            if waiting.len() >= waiting_max {
                return Poll::Pending;
            }
            match asked.poll_next_unpin(cx) {
                Poll::Ready(Some(Come::Now(come))) => return Poll::Ready(Some(come)),
                Poll::Ready(Some(Come::Later(mut answer))) => match answer.poll_unpin(cx) {
                    Poll::Ready(come) => return Poll::Ready(Some(come)),
                    Poll::Pending => waiting.push(answer),
                },
                Poll::Ready(None) if waiting.is_empty() => return Poll::Ready(None),
                _ => return Poll::Pending,
            }
        }
    })
}

#[cfg(test)]
mod tests;
