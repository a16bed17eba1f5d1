use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use tokio::sync::oneshot;

use super::*;

/// What has been counted by calls, and a way to make one that counts.
fn counting(counted: &Arc<AtomicUsize>) -> impl Future<Output = ()> + Send + 'static {
    let counted = Arc::clone(counted);
    async move {
        counted.fetch_add(1, Relaxed);
    }
}

#[test]
fn calls_that_need_not_wait_are_over_when_they_were_looked_at() {
    let (calls, counted) = (Calls::default(), Arc::default());
    for _ in 0..3 {
        calls.execute(counting(&counted));
    }
    assert_eq!(counted.load(Relaxed), 0, "not before the connection has read all");
    calls.look();
    assert_eq!(counted.load(Relaxed), 3);
    calls.look();
    assert_eq!(counted.load(Relaxed), 3, "each once");
}

#[tokio::test]
async fn a_call_that_waits_goes_on_when_it_can() {
    let calls = Calls::default();
    let (tell, told) = oneshot::channel();
    let (finish, finished) = oneshot::channel();
    calls.execute(async move {
        told.await.expect("it is told");
        finish.send(()).expect("it is awaited");
    });
    calls.look();
    tell.send(()).expect("it waits");
    finished.await.expect("it has gone on");
}

#[test]
fn a_call_that_panics_ends_alone() {
    let (calls, counted) = (Calls::default(), Arc::default());
    calls.execute(async { panic!("on purpose") });
    calls.execute(counting(&counted));
    calls.look();
    assert_eq!(counted.load(Relaxed), 1);
}
