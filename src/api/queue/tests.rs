//! The queue as its callers see it, in paused time; the races and the costs in real time.

use std::task::{Context, Poll, Waker};

use parking_lot::Mutex;
use tokio::{
    task::JoinSet,
    time::{advance, timeout},
};

use super::*;
use crate::domain::{
    digest::Digester,
    id::TenantId,
    request::{Priority, Tier},
};

pub(super) const LOW: Rank = free(Priority::Low);
pub(super) const NORMAL: Rank = free(Priority::Normal);
pub(super) const PAID: Rank = Rank { priority: Priority::Normal, tier: Tier::Premium };
pub(super) const HIGH: Rank = free(Priority::High);

const fn free(priority: Priority) -> Rank {
    Rank { priority, tier: Tier::Free }
}

pub(in crate::api::queue) fn user(who: u64) -> Digest {
    let tenant = TenantId::parse("acme").expect("a name");
    Digester::default().digest(&tenant, &who)
}

const GATE: &str = "pool";
const OTHER: &str = "quota";
const MS: Duration = Duration::from_millis(1);

fn later(by: Duration) -> Instant {
    Instant::now() + by
}

/// Waits for events only.
fn refused(queue: &Queue<&'static str>) -> Tried {
    Tried::Refused { since: queue.moment(), retry_at: None }
}

fn refused_until(queue: &Queue<&'static str>, retry_at: Instant) -> Tried {
    Tried::Refused { since: queue.moment(), retry_at: Some(retry_at) }
}

fn join<'q>(queue: &'q Queue<&'static str>, rank: Rank, who: u64) -> Place<'q, &'static str> {
    queue.enter(GATE, rank, user(who), refused(queue)).expect("there is room")
}

/// Polls once: whether it is called by now.
fn is_called<G: Eq + Hash + Clone>(place: &mut Place<'_, G>) -> bool {
    poll(place).is_ready()
}

fn poll<G: Eq + Hash + Clone>(place: &mut Place<'_, G>) -> Poll<Result<(), PushedOut>> {
    let mut context = Context::from_waker(Waker::noop());
    let mut called = std::pin::pin!(place.called());
    let first = called.as_mut().poll(&mut context);
    if first.is_ready() { first } else { called.poll(&mut context) }
}

/// Serves whoever is called, until nobody is; the order by position in the list.
fn serve_all(places: Vec<Place<'_, &'static str>>) -> Vec<usize> {
    let mut places: Vec<_> = places.into_iter().map(Some).collect();
    let mut order = Vec::new();
    loop {
        let called = |place: &mut Option<_>| place.as_mut().is_some_and(is_called);
        let all: Vec<_> = places.iter_mut().map(called).collect();
        let Some(next) = all.iter().position(|called| *called) else { return order };
        assert_eq!(all.iter().filter(|called| **called).count(), 1, "one at a time");
        places[next] = None;
        order.push(next);
    }
}

#[tokio::test(start_paused = true)]
async fn a_higher_rank_goes_first_and_equals_by_arrival() {
    let queue = Queue::new(10);
    let ranks = [LOW, NORMAL, PAID, HIGH, LOW, PAID, HIGH];
    let places = (0..).zip(ranks).map(|(who, rank)| join(&queue, rank, who)).collect();
    queue.announce(&GATE);
    assert_eq!(serve_all(places), [3, 6, 2, 5, 1, 0, 4]);
    assert_eq!((queue.waiting(), queue.lines()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn nobody_is_called_without_an_event() {
    let queue = Queue::new(10);
    let mut places = [join(&queue, NORMAL, 1), join(&queue, NORMAL, 2)];
    assert!(!places.iter_mut().any(is_called));
    queue.announce(&OTHER);
    assert!(!places.iter_mut().any(is_called), "it was for another gate");
    advance(Duration::from_hours(1)).await;
    assert!(!places.iter_mut().any(is_called));
}

#[tokio::test(start_paused = true)]
async fn a_crowd_of_one_user_leaves_the_others_their_share() {
    let queue = Queue::new(2000);
    let crowd = (0..1000).map(|_| join(&queue, NORMAL, 0));
    let others = (0..900).map(|place| join(&queue, NORMAL, 1 + place / 100));
    let order = Mutex::new(Vec::new());
    let users = [vec![0; 1000], (0..900).map(|place| 1 + place / 100).collect()].concat();
    let waiters = crowd.chain(others).zip(users).map(|(place, who)| {
        let order = &order;
        place.decided(later(MS), move || {
            order.lock().push(who);
            Attempt::Final(())
        })
    });
    let all = futures_util::future::join_all(waiters);
    queue.announce(&GATE);
    assert!(all.await.iter().all(Result::is_ok), "a chain takes no time");
    let order = order.into_inner();
    assert_eq!(order.len(), 1900);
    let mut counts = [0_usize; 10];
    for (services, who) in (1..=1000).zip(order) {
        counts[who] += 1;
        let fair = f64::from(services) / 10.0;
        let off = counts.iter().map(|count| (*count as f64 - fair).abs()).fold(0.0, f64::max);
        assert!(off <= (fair * 0.1).max(1.0), "{counts:?} after {services}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_event_costs_one_decision_and_not_one_for_each_that_waits() {
    let queue = Queue::new(1000);
    let decisions = AtomicUsize::new(0);
    let events = 20;
    let waiters = (0..1000).map(|who| {
        let decide = || {
            decisions.fetch_add(1, Ordering::Relaxed);
            Attempt::<_, ()>::Passing { gate: GATE, retry_at: None }
        };
        join(&queue, NORMAL, who).decided(later(100 * MS), decide)
    });
    let tells = async {
        for _ in 0..events {
            tokio::time::sleep(2 * MS).await;
            queue.announce(&GATE);
        }
    };
    let (all, ()) = tokio::join!(futures_util::future::join_all(waiters), tells);
    assert!(all.iter().all(Result::is_err), "nobody is served");
    assert_eq!(decisions.into_inner(), events);
}

#[tokio::test(start_paused = true)]
async fn one_event_serves_a_thousand_in_a_chain() {
    let queue = Queue::new(1000);
    let decisions = AtomicUsize::new(0);
    let waiters = (0..1000).map(|who| {
        let decide = || Attempt::Final(decisions.fetch_add(1, Ordering::Relaxed));
        join(&queue, NORMAL, who % 7).decided(later(MS), decide)
    });
    let all = futures_util::future::join_all(waiters);
    queue.announce(&GATE);
    assert!(all.await.iter().all(Result::is_ok), "a chain takes no time");
    assert_eq!(decisions.into_inner(), 1000);
    assert_eq!((queue.waiting(), queue.lines()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_deadline_is_honoured_among_ten_thousand() {
    let queue = Queue::new(10_000);
    let start = Instant::now();
    let waiters = (0..10_000).map(|who| {
        let deadline = start + Duration::from_millis(100 + who % 400);
        let retry_at = start + Duration::from_millis(who % 500);
        let tried = refused_until(&queue, retry_at);
        let place = queue.enter(GATE, NORMAL, user(who % 50), tried).expect("there is room");
        async move {
            let decide = || Attempt::<_, ()>::Passing { gate: GATE, retry_at: Some(Instant::now() + MS) };
            assert_eq!(place.decided(deadline, decide).await, Err(Unserved::TooLate));
            Instant::now() - deadline
        }
    });
    let late = futures_util::future::join_all(waiters).await.into_iter().max().expect("some waited");
    assert!(late <= 20 * MS, "{late:?}");
    assert_eq!((queue.waiting(), queue.lines()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn nobody_tries_when_it_is_too_late() {
    let queue = Queue::new(1000);
    let deadline = later(10 * MS);
    let decisions = AtomicUsize::new(0);
    let waiters = (0..1000).map(|who| {
        let place = queue.enter(GATE, NORMAL, user(who), Tried::Never).expect("there is room");
        place.decided(deadline, || {
            decisions.fetch_add(1, Ordering::Relaxed);
            Attempt::<_, ()>::Passing { gate: GATE, retry_at: None }
        })
    });
    let all = futures_util::future::join_all(waiters).await;
    assert!(all.iter().all(|ended| *ended == Err(Unserved::TooLate)));
    assert_eq!(decisions.into_inner(), 1, "the first; the next ones become the head as all give up");
}

#[tokio::test(start_paused = true)]
async fn a_deadline_is_honoured_though_every_try_meets_an_event() {
    let queue = Queue::new(1);
    let mut tries = 0;
    let place = join(&queue, NORMAL, 1);
    queue.announce(&GATE);
    // Time passes only while all wait, so a loop that never waits would never end: it ends itself instead.
    let decide = || {
        tries += 1;
        queue.announce(&GATE);
        if tries < 1000 { Attempt::Passing { gate: GATE, retry_at: None } } else { Attempt::Final(()) }
    };
    // By its own means `decided` would end after one try, so the deadline is the caller's alone.
    let unbounded = place.decided(later(Duration::from_hours(1)), decide);
    assert!(timeout(Duration::ZERO, unbounded).await.is_err(), "after {tries} tries");
}

#[tokio::test(start_paused = true)]
async fn a_time_that_has_passed_is_no_reason_to_spin() {
    let queue = Queue::new(1);
    let mut tries = 0;
    let place = join(&queue, NORMAL, 1);
    queue.announce(&GATE);
    let decide = || {
        tries += 1;
        // Were it believed that the time has come, paused time would stand still and the tries never end.
        assert!(tries <= 21, "{tries} tries in 20 ms");
        Attempt::<_, ()>::Passing { gate: GATE, retry_at: Some(Instant::now() - MS) }
    };
    assert_eq!(place.decided(later(20 * MS), decide).await, Err(Unserved::TooLate));
}

#[tokio::test(start_paused = true)]
async fn the_head_looks_when_the_lines_time_has_come() {
    let queue = Queue::new(10);
    let start = Instant::now();
    let tried = refused_until(&queue, start + 50 * MS);
    let mut first = queue.enter(GATE, NORMAL, user(1), tried).expect("there is room");
    let mut second = join(&queue, NORMAL, 2);
    timeout(60 * MS, first.called()).await.expect("in time").expect("still there");
    assert_eq!((Instant::now() - start).as_millis() / 2, 25, "not before its time");
    assert!(!is_called(&mut second));
}

#[tokio::test(start_paused = true)]
async fn the_next_takes_over_the_time_when_the_head_leaves() {
    let queue = Queue::new(10);
    let start = Instant::now();
    let tried = refused_until(&queue, start + 50 * MS);
    let first = queue.enter(GATE, NORMAL, user(1), tried).expect("there is room");
    let mut second = join(&queue, NORMAL, 2);
    let waits = timeout(70 * MS, second.called());
    let leaves = async {
        tokio::time::sleep(10 * MS).await;
        drop(first);
    };
    let (called, ()) = tokio::join!(waits, leaves);
    assert_eq!(called, Ok(Ok(())), "nobody else keeps the time");
    assert!(Instant::now() - start >= 50 * MS);
}

#[tokio::test(start_paused = true)]
async fn a_newcomer_behind_the_head_may_know_an_earlier_time() {
    let queue = Queue::new(10);
    let mut first = join(&queue, NORMAL, 1);
    let start = Instant::now();
    let waits = timeout(70 * MS, first.called());
    let enters = async {
        tokio::time::sleep(10 * MS).await;
        queue.enter(GATE, NORMAL, user(2), refused_until(&queue, start + 30 * MS))
    };
    let (called, _second) = tokio::join!(waits, enters);
    assert_eq!(called, Ok(Ok(())));
    assert!(Instant::now() - start < 40 * MS);
}

#[tokio::test(start_paused = true)]
async fn a_call_goes_on_when_its_holder_is_dropped() {
    let queue = Queue::new(10);
    let [first, second, mut third] = [1, 2, 3].map(|who| join(&queue, NORMAL, who));
    queue.announce(&GATE);
    drop(first);
    assert!(!is_called(&mut third), "the second is called, and has not looked yet");
    drop(second);
    assert!(is_called(&mut third));
}

#[tokio::test(start_paused = true)]
async fn a_call_is_not_lost_with_the_future_that_waited_for_it() {
    let queue = Queue::new(10);
    let mut place = join(&queue, NORMAL, 1);
    {
        let mut called = Box::pin(place.called());
        let mut context = Context::from_waker(Waker::noop());
        assert!(called.as_mut().poll(&mut context).is_pending());
        queue.announce(&GATE);
    }
    assert!(is_called(&mut place) && is_called(&mut place));
}

#[tokio::test(start_paused = true)]
async fn who_is_refused_keeps_the_head_and_nobody_behind_is_tried() {
    let queue = Queue::new(10);
    let [mut first, mut second] = [1, 2].map(|who| join(&queue, NORMAL, who));
    queue.announce(&GATE);
    assert!(is_called(&mut first));
    first.wait_again(GATE, None);
    assert!(!is_called(&mut first) && !is_called(&mut second));
    queue.announce(&GATE);
    assert!(!is_called(&mut second));
    assert!(is_called(&mut first));
}

#[tokio::test(start_paused = true)]
async fn who_came_too_late_for_an_event_tries_when_the_one_before_it_gives_up() {
    let queue = Queue::new(10);
    let [mut first, mut second] = [1, 2].map(|who| join(&queue, NORMAL, who));
    queue.announce(&GATE);
    assert!(is_called(&mut first));
    first.wait_again(GATE, None);
    assert!(!is_called(&mut second));
    drop(first);
    assert!(is_called(&mut second), "what was of no use to the first may be to the second");
    second.wait_again(GATE, None);
    let late = refused(&queue);
    queue.announce(&OTHER);
    let mut third = queue.enter(GATE, NORMAL, user(3), late).expect("there is room");
    drop(second);
    assert!(is_called(&mut third), "something happened before it had its place");
}

#[tokio::test(start_paused = true)]
async fn an_event_during_a_try_calls_again() {
    let queue = Queue::new(10);
    let mut place = join(&queue, NORMAL, 1);
    queue.announce(&GATE);
    assert!(is_called(&mut place));
    queue.announce(&GATE);
    place.wait_again(GATE, None);
    assert!(is_called(&mut place), "the try may have been before the event");
    place.wait_again(GATE, None);
    assert!(!is_called(&mut place));
}

#[tokio::test(start_paused = true)]
async fn an_event_between_the_decision_and_the_place_is_not_missed() {
    let queue = Queue::new(10);
    let tried = refused(&queue);
    queue.announce(&GATE);
    let mut place = queue.enter(GATE, NORMAL, user(1), tried).expect("there is room");
    assert!(is_called(&mut place));
}

#[tokio::test(start_paused = true)]
async fn an_event_at_the_other_gate_before_the_move_is_not_missed() {
    let queue = Queue::new(10);
    let mut place = join(&queue, NORMAL, 1);
    queue.announce(&GATE);
    assert!(is_called(&mut place));
    queue.announce(&OTHER);
    place.wait_again(OTHER, None);
    assert!(is_called(&mut place));
    place.wait_again(GATE, None);
    assert!(!is_called(&mut place));
}

#[tokio::test(start_paused = true)]
async fn who_has_not_tried_is_called_if_nobody_is_before_it() {
    let queue = Queue::new(10);
    let enter = |who| queue.enter(GATE, NORMAL, user(who), Tried::Never).expect("there is room");
    let (mut first, mut second) = (enter(1), enter(2));
    assert!(!is_called(&mut second));
    assert!(is_called(&mut first));
}

#[tokio::test(start_paused = true)]
async fn a_move_to_another_gate_keeps_rank_and_arrival() {
    let queue = Queue::new(10);
    let [mut old, mut low] = [(1, NORMAL), (2, LOW)].map(|(who, p)| join(&queue, p, who));
    let enter = |who, rank| queue.enter(OTHER, rank, user(who), refused(&queue)).expect("room");
    let places = [(3, HIGH), (4, NORMAL), (1, NORMAL)];
    let mut places = places.map(|(who, rank)| enter(who, rank)).into_iter().collect::<Vec<_>>();
    queue.announce(&GATE);
    assert!(is_called(&mut old));
    old.wait_again(OTHER, None);
    assert!(is_called(&mut low), "the next one of the old line");
    low.wait_again(OTHER, None);
    places.extend([old, low]);
    queue.announce(&OTHER);
    // High, then the one that came first of all, then the others in turn, the low one at last.
    assert_eq!(serve_all(places), [0, 3, 1, 2, 4]);
}

#[tokio::test(start_paused = true)]
async fn a_newcomer_stands_back_for_equals_and_not_for_lower_ones() {
    let queue = Queue::new(10);
    assert!(!queue.is_behind(&GATE, LOW));
    let place = join(&queue, NORMAL, 1);
    let behind = [LOW, NORMAL, HIGH].map(|p| queue.is_behind(&GATE, p));
    assert_eq!(behind, [true, true, false]);
    assert!(!queue.is_behind(&OTHER, LOW));
    drop(place);
    assert!(!queue.is_behind(&GATE, LOW));
}

#[test]
fn nobody_touches_the_lock_while_nobody_waits() {
    let queue = Queue::<&str>::new(10);
    let (done, is_done) = std::sync::mpsc::channel();
    let held = queue.hall.lock();
    std::thread::scope(|threads| {
        threads.spawn(|| {
            assert!(!queue.is_behind(&GATE, LOW));
            queue.announce(&GATE);
            queue.announce_all();
            done.send(()).expect("it is awaited");
        });
        let in_time = is_done.recv_timeout(Duration::from_secs(5));
        drop(held);
        assert!(in_time.is_ok(), "it waits for the lock");
    });
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_takes_the_place_of_the_youngest_of_the_lowest_rank() {
    let queue = Queue::new(3);
    let [mut low, mut younger] = [1, 2].map(|who| join(&queue, LOW, who));
    let mut normal = join(&queue, NORMAL, 3);
    let enter = |rank| queue.enter(OTHER, rank, user(4), refused(&queue));
    assert!(matches!(enter(LOW), Err(Full)), "equals keep what they have");
    let high = enter(HIGH).expect("a low one gives way");
    assert_eq!(poll(&mut younger), Poll::Ready(Err(PushedOut)));
    assert!(poll(&mut low).is_pending() && poll(&mut normal).is_pending());
    let _second = enter(HIGH).expect("the other low one gives way");
    let _third = enter(HIGH).expect("the normal one gives way");
    assert_eq!(poll(&mut normal), Poll::Ready(Err(PushedOut)));
    assert!(matches!(enter(HIGH), Err(Full)));
    drop((low, younger, normal));
    assert_eq!(queue.waiting(), 3, "who was pushed out frees no other's place");
    drop(high);
    assert_eq!((queue.waiting(), queue.lines()), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn who_is_pushed_out_is_told_at_once() {
    let queue = Queue::new(1);
    let low = join(&queue, LOW, 1);
    let waits = low.decided(later(MS), || Attempt::Final(()));
    let enters = async { queue.enter(GATE, HIGH, user(2), refused(&queue)) };
    let (pushed_out, _high) = tokio::join!(waits, enters);
    assert_eq!(pushed_out, Err(Unserved::PushedOut(PushedOut)));
}

#[tokio::test(start_paused = true)]
async fn the_call_of_who_is_pushed_out_goes_on() {
    let queue = Queue::new(2);
    // Older and lower: called only because it was alone.
    let mut normal = join(&queue, NORMAL, 1);
    let mut low = queue.enter(OTHER, LOW, user(2), refused(&queue)).expect("there is room");
    queue.announce(&OTHER);
    assert!(is_called(&mut low));
    assert!(!is_called(&mut normal));
    let mut high = queue.enter(OTHER, HIGH, user(3), refused(&queue)).expect("low gives way");
    low.wait_again(OTHER, None);
    assert_eq!(poll(&mut low), Poll::Ready(Err(PushedOut)));
    drop(low);
    queue.announce(&OTHER);
    assert!(is_called(&mut high), "the call did not stay with a place that is gone");
}

#[tokio::test(start_paused = true)]
async fn an_event_for_all_calls_every_head() {
    let queue = Queue::new(10);
    let mut places = ["a", "b", "c"]
        .map(|gate| queue.enter(gate, NORMAL, user(1), refused(&queue)).expect("there is room"));
    let mut behind = queue.enter("a", NORMAL, user(2), refused(&queue)).expect("there is room");
    queue.announce_all();
    assert!(places.iter_mut().all(is_called));
    assert!(!is_called(&mut behind));
}

#[tokio::test(start_paused = true)]
async fn a_queue_without_places_refuses() {
    let queue = Queue::new(0);
    assert!(matches!(queue.enter(GATE, HIGH, user(1), refused(&queue)), Err(Full)));
    assert_eq!((queue.waiting(), queue.lines()), (0, 0));
}

/// In real time and on several threads: callers give up while others announce, and nothing is left.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_hundred_thousand_callers_that_give_up_leave_nothing() {
    let queue = Arc::new(Queue::new(100_000));
    let mut tasks = JoinSet::new();
    for who in 0..100_000_u64 {
        let queue = Arc::clone(&queue);
        tasks.spawn(async move {
            let tried = Tried::Refused { since: queue.moment(), retry_at: Some(Instant::now() + MS) };
            let place = queue.enter(who % 10, NORMAL, user(who % 100), tried).expect("there is room");
            let mut tries = 0;
            let decide = || {
                tries += 1;
                let gate = (who + tries) % 10;
                if (who + tries).is_multiple_of(5) {
                    Attempt::Final(())
                } else {
                    Attempt::Passing { gate, retry_at: None }
                }
            };
            if who % 3 == 0 {
                queue.announce(&(who % 10));
            }
            let deadline = later(Duration::from_millis(1 + who % 3));
            let _ = timeout(Duration::from_micros(who % 3000), place.decided(deadline, decide)).await;
        });
    }
    while tasks.join_next().await.is_some() {}
    assert_eq!((queue.waiting(), queue.lines()), (0, 0));
}

/// In real time and on several threads: each that is served takes a token, an event is told for each token, and some who
/// would take none give up. If a call were lost, somebody would wait for ever.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_call_is_lost_between_threads() {
    let queue = Arc::new(Queue::new(20_000));
    let tokens = Arc::new(AtomicUsize::new(0));
    let mut tasks = JoinSet::new();
    for who in 0..5000 {
        let patience = Duration::from_micros(who % 500);
        tasks.spawn(take_a_token(Arc::clone(&queue), Arc::clone(&tokens), user(who % 10)));
        tasks.spawn(give_up(Arc::clone(&queue), user(who % 10), patience));
        let (queue, tokens) = (Arc::clone(&queue), Arc::clone(&tokens));
        tasks.spawn(async move {
            tokens.fetch_add(1, Ordering::SeqCst);
            queue.announce(&GATE);
        });
    }
    while let Some(ended) = tasks.join_next().await {
        ended.expect("everybody is served");
    }
    assert_eq!((queue.waiting(), queue.lines()), (0, 0));
}

async fn take_a_token(queue: Arc<Queue<&'static str>>, tokens: Arc<AtomicUsize>, user: Digest) {
    let take = || {
        let taken = tokens.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        if taken.is_ok() { Attempt::Final(()) } else { Attempt::Passing { gate: GATE, retry_at: None } }
    };
    let since = queue.moment();
    if take() != Attempt::Final(()) {
        let tried = Tried::Refused { since, retry_at: None };
        let place = queue.enter(GATE, NORMAL, user, tried).expect("there is room");
        place.decided(later(Duration::from_secs(30)), take).await.expect("a token for each");
    }
}

async fn give_up(queue: Arc<Queue<&'static str>>, user: Digest, patience: Duration) {
    let mut place = queue.enter(GATE, HIGH, user, refused(&queue)).expect("there is room");
    let _ = timeout(patience, place.called()).await;
}

/// Two threads in step: one is refused and takes the first place while the other brings what it waits for.
#[test]
fn the_first_place_and_an_event_do_not_miss_each_other() {
    const ROUNDS: usize = 100_000;
    let queue = Queue::new(1);
    let brought = AtomicUsize::new(0);
    let arrived = AtomicUsize::new(0);
    // A barrier that sleeps would let one thread run long before the other.
    let meet = || {
        let both = arrived.fetch_add(1, Ordering::SeqCst) / 2 * 2 + 2;
        while arrived.load(Ordering::SeqCst) < both {
            std::thread::yield_now();
        }
    };
    std::thread::scope(|threads| {
        threads.spawn(|| {
            for round in 1..=ROUNDS {
                meet();
                (0..round % 256).for_each(|_| std::hint::spin_loop());
                brought.store(round, Ordering::SeqCst);
                queue.announce(&GATE);
                meet();
            }
        });
        let mut lost = 0;
        for round in 1..=ROUNDS {
            meet();
            let tried = refused(&queue);
            let is_refused = brought.load(Ordering::SeqCst) < round;
            let place = is_refused.then(|| queue.enter(GATE, NORMAL, user(1), tried));
            meet();
            let called = |place: Result<Place<'_, _>, Full>| is_called(&mut place.expect("there is room"));
            lost += usize::from(place.is_some_and(|place| !called(place)));
        }
        assert_eq!(lost, 0, "of {ROUNDS}");
    });
}

/// Prints costs: `cargo test --release --lib queue -- --ignored --nocapture`.
#[test]
#[ignore = "measures"]
fn what_it_costs() {
    let measure = |what: &str, times: u32, step: &mut dyn FnMut()| {
        let start = Instant::now();
        for _ in 0..times {
            step();
        }
        println!("{what}: {} ns", start.elapsed().as_nanos() / u128::from(times));
    };
    let queue = Queue::new(200_000);
    let who = user(1);
    measure("is_behind, nobody waits", 10_000_000, &mut || {
        assert!(!std::hint::black_box(&queue).is_behind(&GATE, LOW));
    });
    measure("announce, nobody waits", 10_000_000, &mut || std::hint::black_box(&queue).announce(&GATE));
    let mut enter = || drop(queue.enter(GATE, NORMAL, who, refused(&queue)));
    measure("enter and leave, nobody waits", 1_000_000, &mut enter);
    let _places: Vec<_> = (0..100_000).map(|place| join(&queue, NORMAL, place % 1000)).collect();
    measure("enter and leave, 100,000 wait", 1_000_000, &mut enter);
    measure("is_behind, 100,000 wait", 1_000_000, &mut || {
        assert!(queue.is_behind(&GATE, LOW));
    });
    measure("announce, 100,000 wait", 1_000_000, &mut || queue.announce(&GATE));
    let gates = Queue::new(10_000);
    let tried = Tried::Refused { since: gates.moment(), retry_at: None };
    let enter = |gate| gates.enter(gate, NORMAL, who, tried).expect("there is room");
    let _places: Vec<_> = (0..10_000).map(enter).collect();
    measure("announce_all, 10,000 lines", 1, &mut || gates.announce_all());
}
