use std::future::{pending, ready};

use futures_util::{FutureExt, future::poll_immediate};

use super::*;

impl Backlog {
    /// As many calls as may wait.
    pub(in crate::api::connection) fn full(&self) -> Vec<impl Future<Output = ()> + Unpin + use<>> {
        (0..WAITING_MAX).map(|_| Box::pin(self.until_begun(pending::<()>()))).collect()
    }
}

#[tokio::test]
async fn a_call_counts_until_it_is_first_looked_at() {
    let backlog = Backlog::default();
    let mut calls = backlog.full();
    assert!(backlog.is_full());
    assert!(poll_immediate(&mut calls[0]).await.is_none());
    assert!(!backlog.is_full(), "it has begun, and waits for something else");
}

#[test]
fn a_call_that_is_done_or_dropped_does_not_count() {
    let backlog = Backlog::default();
    assert_eq!(backlog.until_begun(ready(7)).now_or_never(), Some(7));
    drop(backlog.until_begun(pending::<()>()));
    assert_eq!(backlog.0.load(Relaxed), 0);
}
