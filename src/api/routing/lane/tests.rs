use std::{cell::Cell, pin::pin};

use futures_util::{future, poll};
use tokio::sync::oneshot;

use super::*;

#[test]
fn what_needs_no_waiting_is_taken_in_one_at_a_time() {
    let taken = Cell::new(0);
    let asked = stream::iter(0..1_000).inspect(|_| taken.set(taken.get() + 1));
    let mut answers = pin!(answers(asked, future::ready, 256));
    for number in 0..1_000 {
        assert_eq!(answers.next().now_or_never(), Some(Some(number)));
        assert_eq!(taken.get(), number + 1, "no more is held than is asked for");
    }
    assert_eq!(answers.next().now_or_never(), Some(None));
}

#[tokio::test]
async fn what_waits_lets_others_pass_and_more_than_may_wait_is_not_asked() {
    let (tell, mut told): (Vec<_>, Vec<_>) = (0..3).map(|_| oneshot::channel::<u32>()).unzip();
    told.reverse();
    let taken = Cell::new(0);
    let answer = |waits: bool| {
        taken.set(taken.get() + 1);
        let told = waits.then(|| told.pop().expect("one for each that waits"));
        async { if let Some(told) = told { told.await.expect("it is told") } else { 0 } }
    };
    let mut answers = pin!(answers(stream::iter([true, false, true, true]), answer, 2));
    assert_eq!(answers.next().await, Some(0), "the second passes the first");
    assert!(poll!(answers.next()).is_pending());
    assert_eq!(taken.get(), 3, "two wait: the fourth is not asked");
    let mut tell = tell.into_iter();
    let mut tell = |value| tell.next().expect("another").send(value).expect("it is awaited");
    tell(1);
    assert_eq!(answers.next().await, Some(1));
    assert!(poll!(answers.next()).is_pending());
    assert_eq!(taken.get(), 4);
    tell(2);
    tell(3);
    assert_eq!(answers.by_ref().collect::<Vec<_>>().await, [2, 3]);
}
