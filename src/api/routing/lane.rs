//! What of a stream of questions is held in memory? Only what waits.
//!
//! Most are answered the moment they are asked. `buffer_unordered` would take in as many as may wait before it answers the first:
//! a client that sends and does not read would have the service hold them all.

use std::task::Poll;

use futures_util::{FutureExt, Stream, StreamExt, stream, stream::FuturesUnordered};

/// The answers to what is asked, as they come; while `waiting_max` wait, and while nobody takes an answer, no more is asked.
pub(super) fn answers<Q, A: Future>(
    asked: impl Stream<Item = Q> + Unpin,
    mut answer: impl FnMut(Q) -> A + Unpin,
    waiting_max: usize,
) -> impl Stream<Item = A::Output> {
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
                Poll::Ready(Some(question)) => {
                    let mut answer = Box::pin(answer(question));
                    if let Poll::Ready(come) = answer.poll_unpin(cx) {
                        return Poll::Ready(Some(come));
                    }
                    waiting.push(answer);
                }
                Poll::Ready(None) if waiting.is_empty() => return Poll::Ready(None),
                _ => return Poll::Pending,
            }
        }
    })
}

#[cfg(test)]
mod tests;
