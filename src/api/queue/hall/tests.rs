//! The lines against a model that keeps a list and searches it.

use std::{collections::BTreeMap, time::Duration};

use proptest::{collection::vec, option, prelude::*, sample::Index};

use super::*;
use crate::api::queue::tests::{HIGH, LOW, NORMAL, PAID, user};

const PLACES_MAX: usize = 12;

#[derive(Debug, Clone, Copy)]
enum Step {
    Enter {
        gate: u8,
        rank: Rank,
        user: u64,
        retry_in: Option<u64>,
        knowledge: Knowledge,
    },
    Leave(Index),
    Announce(u8),
    AnnounceAll,
    /// Whoever looks, and by how much later.
    Look(Index, u64),
    Refuse {
        who: Index,
        gate: u8,
        retry_in: Option<u64>,
        knowledge: Knowledge,
    },
    /// One of the called ones is served.
    Serve(Index),
}

fn step() -> impl Strategy<Value = Step> {
    let rank = prop_oneof![Just(LOW), Just(NORMAL), Just(PAID), Just(HIGH)];
    let knowledge = || prop_oneof![Just(Knowledge::Fresh), Just(Knowledge::Stale)];
    let retry_in = || option::of(1..20_u64);
    prop_oneof![
        4 => (0..3_u8, rank, 0..4_u64, retry_in(), knowledge()).prop_map(
            |(gate, rank, user, retry_in, knowledge)| Step::Enter { gate, rank, user, retry_in, knowledge }
        ),
        1 => any::<Index>().prop_map(Step::Leave),
        2 => (0..3_u8).prop_map(Step::Announce),
        1 => Just(Step::AnnounceAll),
        2 => (any::<Index>(), 0..10_u64).prop_map(|(who, later)| Step::Look(who, later)),
        3 => (any::<Index>(), 0..3_u8, retry_in(), knowledge())
            .prop_map(|(who, gate, retry_in, knowledge)| Step::Refuse { who, gate, retry_in, knowledge }),
        3 => any::<Index>().prop_map(Step::Serve),
    ]
}

#[derive(Debug, Clone, Copy)]
struct Waiter {
    arrival: Arrival,
    gate: u8,
    rank: Rank,
    user: u64,
    retry_at: Option<Instant>,
    /// Whether it knows of the last event at its gate.
    knows: bool,
}

#[derive(Debug, Default)]
struct ModelLine {
    called: Option<Arrival>,
    retry_at: Option<Instant>,
}

#[derive(Debug, Default)]
struct Model {
    waiters: Vec<Waiter>,
    lines: BTreeMap<u8, ModelLine>,
    virtual_times: BTreeMap<(u8, Rank), u64>,
    tags: BTreeMap<(u8, Rank, u64), u64>,
}

impl Model {
    fn head(&self, gate: u8) -> Option<&Waiter> {
        let key = |waiter: &&Waiter| {
            let tag = self.tags[&(waiter.gate, waiter.rank, waiter.user)];
            (Reverse(waiter.rank), tag, waiter.arrival)
        };
        self.waiters.iter().filter(|waiter| waiter.gate == gate).min_by_key(key)
    }

    fn due(&self, gate: u8) -> Option<(Arrival, Instant)> {
        let line = self.lines.get(&gate).filter(|line| line.called.is_none())?;
        let head = self.head(gate)?;
        Some((head.arrival, earlier(line.retry_at, head.retry_at)?))
    }

    fn announce(&mut self, gate: u8) {
        self.waiters.iter_mut().filter(|waiter| waiter.gate == gate).for_each(|waiter| waiter.knows = false);
        self.settle(gate);
    }

    fn settle(&mut self, gate: u8) {
        let Some(&head) = self.head(gate) else { return };
        if self.lines[&gate].called.is_none() && !head.knows {
            self.call(gate, head.arrival);
        }
    }

    fn call(&mut self, gate: u8, head: Arrival) {
        self.lines.insert(gate, ModelLine { called: Some(head), retry_at: None });
        self.find(head).expect("the head waits").retry_at = None;
    }

    fn find(&mut self, arrival: Arrival) -> Option<&mut Waiter> {
        self.waiters.iter_mut().find(|waiter| waiter.arrival == arrival)
    }

    fn join(&mut self, waiter: Waiter, knowledge: Knowledge) {
        let class = (waiter.gate, waiter.rank);
        let tag = self.virtual_times.get(&class).unwrap_or(&0) + 1;
        self.tags.entry((class.0, class.1, waiter.user)).or_insert(tag);
        let line = self.lines.entry(waiter.gate).or_default();
        line.retry_at = earlier(line.retry_at, waiter.retry_at);
        self.waiters.push(Waiter { knows: knowledge == Knowledge::Fresh, ..waiter });
        self.settle(waiter.gate);
    }

    fn part(&mut self, arrival: Arrival, end: End) -> Waiter {
        let at = self.waiters.iter().position(|waiter| waiter.arrival == arrival).expect("it waits");
        let gone = self.waiters.remove(at);
        let class = (gone.gate, gone.rank);
        if end == End::Served {
            let tag = self.tags.get_mut(&(class.0, class.1, gone.user)).expect("it had one");
            let time = self.virtual_times.entry(class).or_default();
            *time = (*time).max(*tag);
            *tag = *time + 1;
        }
        self.forget();
        if self.lines.get(&gone.gate).is_some_and(|line| line.called == Some(arrival)) {
            self.lines.get_mut(&gone.gate).expect("it was found").called = None;
            self.announce(gone.gate);
        }
        self.settle(gone.gate);
        gone
    }

    fn forget(&mut self) {
        let waiters = &self.waiters;
        self.lines.retain(|gate, _| waiters.iter().any(|waiter| waiter.gate == *gate));
        self.virtual_times
            .retain(|class, _| waiters.iter().any(|waiter| (waiter.gate, waiter.rank) == *class));
        let is = |waiter: &Waiter, key: &(u8, Rank, u64)| (waiter.gate, waiter.rank, waiter.user) == *key;
        self.tags.retain(|key, _| waiters.iter().any(|waiter| is(waiter, key)));
    }

    fn called(&self) -> Vec<Arrival> {
        self.lines.values().filter_map(|line| line.called).collect()
    }
}

/// A gate, the place that is called there, and the head that keeps the time.
type Seen = (u8, Option<Arrival>, Option<(Arrival, Instant)>);

/// The hall and its model, side by side.
struct Pair {
    hall: Hall<u8>,
    model: Model,
    now: Instant,
    bells: BTreeMap<Arrival, Arc<Notify>>,
}

impl Pair {
    fn apply(&mut self, step: Step) {
        match step {
            Step::Enter { gate, rank, user, retry_in, knowledge } => {
                let retry_at = self.after(retry_in);
                let waiter = Waiter { arrival: Arrival(0), gate, rank, user, retry_at, knows: false };
                self.enter(waiter, knowledge);
            }
            Step::Leave(who) => self.leave(who),
            Step::Announce(gate) => {
                self.hall.announce(&gate);
                self.model.announce(gate);
            }
            Step::AnnounceAll => {
                self.hall.announce_all();
                (0..3).for_each(|gate| self.model.announce(gate));
            }
            Step::Look(who, later) => self.look(who, later),
            Step::Refuse { who, gate, retry_in, knowledge } => {
                let retry_at = self.after(retry_in);
                self.refuse(who, gate, retry_at, knowledge);
            }
            Step::Serve(who) => {
                let called = self.model.called();
                if !called.is_empty() {
                    let arrival = *who.get(&called);
                    self.hall.leave(arrival);
                    self.model.part(arrival, End::Served);
                }
            }
        }
    }

    fn after(&self, retry_in: Option<u64>) -> Option<Instant> {
        retry_in.map(|ms| self.now + Duration::from_millis(ms))
    }

    fn pick(&self, who: Index) -> Option<Arrival> {
        (!self.model.waiters.is_empty()).then(|| who.get(&self.model.waiters).arrival)
    }

    fn enter(&mut self, waiter: Waiter, knowledge: Knowledge) {
        let Waiter { gate, rank, retry_at, .. } = waiter;
        let bell = Arc::new(Notify::new());
        let seat =
            Seat { gate, user: user(waiter.user), rank, retry_at, seen: None, bell: Arc::clone(&bell) };
        let entered = self.hall.enter(seat, knowledge);
        if self.model.waiters.len() == PLACES_MAX {
            let key = |waiter: &&Waiter| (waiter.rank, Reverse(waiter.arrival));
            let first = *self.model.waiters.iter().min_by_key(key).expect("it is full");
            assert_eq!(entered.is_ok(), first.rank < rank);
            if entered.is_ok() {
                self.model.part(first.arrival, End::Unserved);
                assert_eq!(self.hall.look(first.arrival, self.now), Standing::PushedOut);
            }
        }
        if let Ok(arrival) = entered {
            self.bells.insert(arrival, bell);
            self.model.join(Waiter { arrival, ..waiter }, knowledge);
        }
    }

    fn leave(&mut self, who: Index) {
        let Some(arrival) = self.pick(who) else { return };
        let end = if self.model.called().contains(&arrival) { End::Served } else { End::Unserved };
        self.hall.leave(arrival);
        self.model.part(arrival, end);
    }

    fn look(&mut self, who: Index, later: u64) {
        self.now += Duration::from_millis(later);
        let Some(arrival) = self.pick(who) else { return };
        let gate = self.model.find(arrival).expect("it was picked").gate;
        let due = self.model.due(gate).filter(|(head, _)| *head == arrival);
        if due.is_some_and(|(_, at)| at <= self.now) {
            self.model.call(gate, arrival);
        }
        let expected = if self.model.lines[&gate].called == Some(arrival) {
            self.model.find(arrival).expect("it was picked").knows = true;
            Standing::Called
        } else {
            Standing::Waits(due.map(|(_, at)| at))
        };
        assert_eq!(self.hall.look(arrival, self.now), expected);
    }

    fn refuse(&mut self, who: Index, gate: u8, retry_at: Option<Instant>, knowledge: Knowledge) {
        let called = self.model.called();
        if called.is_empty() {
            return;
        }
        let arrival = *who.get(&called);
        self.hall.wait_again(arrival, gate, retry_at, knowledge);
        let waiter = self.model.find(arrival).expect("it is called");
        if waiter.gate != gate {
            let gone = self.model.part(arrival, End::Unserved);
            return self.model.join(Waiter { gate, retry_at, ..gone }, knowledge);
        }
        waiter.retry_at = retry_at;
        let line = self.model.lines.get_mut(&gate).expect("it waits in it");
        line.retry_at = earlier(line.retry_at, retry_at);
        line.called = None;
        self.model.settle(gate);
    }

    fn check(&mut self) {
        let (hall, model) = (&self.hall, &self.model);
        assert_eq!(hall.places(), model.waiters.len());
        assert_eq!(hall.yielding.len(), model.waiters.len());
        assert_eq!(hall.lines(), model.lines.len());
        for (gate, expected) in &model.lines {
            let line = &hall.lines[gate];
            let of_model = (expected.called, expected.retry_at, model.head(*gate).map(|head| head.arrival));
            assert_eq!((line.called, line.retry_at, line.head()), of_model, "at gate {gate}");
            assert_eq!(hall.due(gate), model.due(*gate));
        }
        for rank in [LOW, NORMAL, PAID, HIGH] {
            let before = |waiter: &Waiter| waiter.gate == 0 && waiter.rank >= rank;
            assert_eq!(hall.is_behind(&0, rank), model.waiters.iter().any(before));
        }
    }

    /// Nobody sleeps through its call, or through its line's time: what is new to a place has rung its bell.
    fn check_bells(&mut self, before: &[Seen], looked: bool) {
        let rung = self.hall.take_bells();
        let is_rung = |arrival: Arrival| rung.iter().any(|bell| Arc::ptr_eq(bell, &self.bells[&arrival]));
        for (gate, line) in &self.hall.lines {
            let (called, due) = (line.called, self.hall.due(gate));
            let was = before.iter().find(|(was, ..)| was == gate).map_or((None, None), |was| (was.1, was.2));
            let newly_called = called.filter(|_| called != was.0);
            let newly_due = due.filter(|_| due != was.1);
            for arrival in newly_called.into_iter().chain(newly_due.map(|(head, _)| head)) {
                assert!(looked || is_rung(arrival), "{arrival:?} sleeps");
            }
        }
    }

    fn snapshot(&self) -> Vec<Seen> {
        self.hall.lines.iter().map(|(gate, line)| (*gate, line.called, self.hall.due(gate))).collect()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_lines_do_what_the_model_does(steps in vec(step(), 1..200)) {
        let mut pair = Pair {
            hall: Hall::new(PLACES_MAX),
            model: Model::default(),
            now: Instant::now(),
            bells: BTreeMap::new(),
        };
        for step in steps {
            let before = pair.snapshot();
            let looked = matches!(step, Step::Look(..));
            pair.apply(step);
            pair.check();
            pair.check_bells(&before, looked);
        }
        for waiter in pair.model.waiters {
            pair.hall.leave(waiter.arrival);
        }
        prop_assert_eq!((pair.hall.places(), pair.hall.lines(), pair.hall.yielding.len()), (0, 0, 0));
    }
}
