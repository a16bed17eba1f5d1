use std::{cell::Cell, pin::pin};

use futures_util::poll;
use tokio::sync::oneshot;

use super::*;

#[test]
fn what_needs_no_waiting_is_taken_in_one_at_a_time() {
    let taken = Cell::new(0);
    let asked = stream::iter(0..1_000).inspect(|_| taken.set(taken.get() + 1));
    let mut answers = pin!(answers(asked.map(Come::Now), 256));
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
        match told {
            Some(told) => Come::Later(Box::pin(async { told.await.expect("it is told") })),
            None => Come::Now(0),
        }
    };
    let mut answers = pin!(answers(stream::iter([true, false, true, true]).map(answer), 2));
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

#[tokio::test]
async fn a_batch_is_asked_in_order_and_those_that_wait_wait_together() {
    let (tell, told): (Vec<_>, Vec<_>) = (0..2).map(|_| oneshot::channel::<u32>()).unzip();
    let told = std::cell::RefCell::new(told);
    let order = std::cell::RefCell::new(Vec::new());
    let answer = |number: &u32| {
        order.borrow_mut().push(*number);
        match told.borrow_mut().pop() {
            Some(told) if *number < 2 => Come::Later(Box::pin(async { told.await.expect("it is told") })),
            _ => Come::Now(*number),
        }
    };
    let mut batch = pin!(all(&[0, 1, 2], answer, Vec::new(), Vec::push).come());
    assert!(poll!(&mut batch).is_pending());
    assert_eq!(*order.borrow(), [0, 1, 2]);
    // The first to be told is the one that was asked last.
    for (tell, value) in tell.into_iter().zip([11, 10]) {
        tell.send(value).expect("it is awaited");
    }
    assert_eq!(batch.await, [10, 11, 2]);
}

#[tokio::test]
async fn a_batch_that_waits_for_nothing_comes_at_once() {
    let later = |number: &u32| Come::Later(Box::pin(std::future::ready(*number)) as _);
    let batch = |number: &u32| if *number == 1 { later(number) } else { Come::Now(*number) };
    let all = all(&[0, 1, 2], batch, Vec::new(), Vec::push);
    assert!(matches!(all, Come::Now(all) if all == [0, 1, 2]));
}
