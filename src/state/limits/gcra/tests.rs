use proptest::prelude::*;

use super::*;

const SECOND: u64 = 1_000_000_000;

fn units(count: u32) -> NonZeroU32 {
    NonZeroU32::new(count).expect("tests ask for something")
}

fn requests(per_second: f64, burst: u32) -> Pace {
    Pace::of(Quota::Requests { per_second, burst: units(burst) })
}

fn tokens(per_minute: u32, burst: u32) -> Pace {
    Pace::of(Quota::Tokens { per_minute: units(per_minute), burst: units(burst) })
}

fn at(nanos: u64) -> Instant {
    Instant::from_nanos(nanos)
}

fn delay(refused: Result<Arrival, Refusal>) -> Duration {
    match refused.expect_err("over the quota").fit {
        Fit::After(delay) => delay,
        other => panic!("{other:?}"),
    }
}

/// The same as a bucket: full at `burst`, refilled by the nanosecond. It may be in debt.
struct Bucket {
    pace: Pace,
    /// In nanoseconds of refill.
    level: i128,
    now: u64,
}

impl Bucket {
    fn full(pace: Pace) -> Self {
        Self { pace, level: i128::from(pace.refill()), now: 0 }
    }

    fn worth(&self, units: u32) -> i128 {
        i128::from(units) * i128::from(self.pace.period)
    }

    fn put(&mut self, nanos: i128) {
        let refill = i128::from(self.pace.refill());
        self.level = (self.level + nanos).clamp(-refill, refill);
    }

    fn wait(&mut self, nanos: u64) {
        self.put(i128::from(nanos));
        self.now += nanos;
    }

    fn take(&mut self, count: u32) -> Result<(), Option<u64>> {
        let worth = self.worth(count);
        if count > self.pace.burst.get() {
            return Err(None);
        }
        if worth > self.level {
            return Err(Some(u64::try_from(worth - self.level).expect("positive")));
        }
        self.level -= worth;
        Ok(())
    }

    fn remaining(&self) -> u64 {
        u64::try_from(self.level.max(0) / i128::from(self.pace.period)).expect("not negative")
    }
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Wait(u64),
    Take(u32),
    GiveBack(u32),
    Debit(u32),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0..3 * SECOND).prop_map(Step::Wait),
        (1..30_u32).prop_map(Step::Take),
        Just(Step::Take(1)),
        (0..30_u32).prop_map(Step::GiveBack),
        (0..60_u32).prop_map(Step::Debit),
    ]
}

fn pace() -> impl Strategy<Value = Pace> {
    let of_requests = (0.1..1e6_f64, 1..50_u32).prop_map(|(rate, burst)| requests(rate, burst));
    let of_tokens = (1..=Quota::PER_MINUTE_MAX, 1..1_000_u32).prop_map(|(rate, burst)| tokens(rate, burst));
    prop_oneof![of_requests, (1..20_u32, 1..20_u32).prop_map(|(n, b)| requests(f64::from(n), b)), of_tokens]
}

proptest! {
    #[test]
    fn it_is_a_bucket(pace in pace(), steps in prop::collection::vec(step(), 1..200)) {
        let mut bucket = Bucket::full(pace);
        let mut arrival = NEVER_ASKED;
        for step in steps {
            let now = at(bucket.now);
            match step {
                Step::Wait(nanos) => bucket.wait(nanos),
                Step::Take(count) => match (pace.take(arrival, units(count), now), bucket.take(count)) {
                    (Ok(taken), Ok(())) => arrival = taken,
                    (Err(refusal), Err(wait)) => {
                        let fit = wait.map_or(Fit::Never, |nanos| Fit::After(Duration::from_nanos(nanos)));
                        prop_assert_eq!(refusal, Refusal { fit, remaining: bucket.remaining() });
                    }
                    (ours, model) => prop_assert!(false, "{:?} where the bucket says {:?}", ours, model),
                },
                Step::GiveBack(count) => {
                    arrival = pace.give_back(arrival, u64::from(count));
                    bucket.put(bucket.worth(count));
                }
                Step::Debit(count) => {
                    arrival = pace.debit(arrival, u64::from(count), now);
                    bucket.put(-bucket.worth(count));
                }
            }
            prop_assert_eq!(pace.remaining(arrival, at(bucket.now)), bucket.remaining());
        }
    }

    #[test]
    fn the_delay_is_right_to_the_nanosecond(pace in pace(), asked in prop::collection::vec((0..SECOND, 1..9_u32), 1..40)) {
        let mut arrival = NEVER_ASKED;
        let mut now = 0;
        for (wait, count) in asked {
            now += wait;
            match pace.take(arrival, units(count), at(now)) {
                Ok(taken) => arrival = taken,
                Err(Refusal { fit: Fit::After(delay), .. }) => {
                    let fits = at(now) + delay;
                    prop_assert!(pace.take(arrival, units(count), fits).is_ok());
                    prop_assert!(pace.take(arrival, units(count), at(fits.as_nanos() - 1)).is_err());
                }
                Err(refusal) => prop_assert!(count > pace.burst.get(), "{refusal:?}"),
            }
        }
    }

    #[test]
    fn no_rate_is_above_its_quota(per_second in 1..=1_000_000_u32, per_minute in 1..=Quota::PER_MINUTE_MAX) {
        prop_assert!(requests(f64::from(per_second), 1).period * u64::from(per_second) >= SECOND);
        prop_assert!(tokens(per_minute, 1).period * u64::from(per_minute) >= 60 * SECOND);
    }

    #[test]
    fn nothing_panics_whatever_is_asked(
        rate in any::<f64>(),
        (per_minute, burst, count) in (1..=u32::MAX, 1..=u32::MAX, 1..=u32::MAX),
        (arrival, now, debt) in (any::<u64>(), any::<u64>(), any::<u64>()),
    ) {
        for pace in [requests(rate, burst), tokens(per_minute, burst)] {
            let _ = pace.take(arrival, units(count), at(now));
            let _ = pace.take(pace.debit(arrival, debt, at(now)), units(count), at(now));
            prop_assert!(pace.remaining(arrival, at(now)) <= u64::from(burst));
            pace.give_back(arrival, debt);
        }
    }
}

#[test]
fn a_fraction_of_a_request_a_second_is_a_rate() {
    let pace = requests(0.1, 1);
    let arrival = pace.take(NEVER_ASKED, units(1), at(0)).expect("the first");
    assert_eq!(delay(pace.take(arrival, units(1), at(0))), Duration::from_secs(10));
}

#[test]
fn what_is_no_rate_is_as_slow_as_there_is() {
    for rate in [0.0, -1.0, f64::NAN, f64::NEG_INFINITY] {
        assert_eq!(requests(rate, 5).period, REFILL_MAX, "{rate}");
    }
    assert_eq!(requests(f64::INFINITY, 5).period, 1);
}

#[test]
fn more_than_the_burst_never_fits() {
    let refusal = tokens(60, 100).take(NEVER_ASKED, units(101), at(0)).expect_err("too much");
    assert_eq!(refusal, Refusal { fit: Fit::Never, remaining: 100 });
}

#[test]
fn a_debt_is_at_most_one_burst() {
    let pace = tokens(60, 100);
    let now = at(7 * SECOND);
    let arrival = pace.debit(NEVER_ASKED, u64::MAX, now);
    assert_eq!(delay(pace.take(arrival, units(1), now)), Duration::from_secs(101));
    assert_eq!(pace.debit(arrival, u64::MAX, now), arrival);
}

#[test]
fn a_clock_set_far_back_locks_nobody_out_for_longer_than_a_debt() {
    let pace = requests(2.0, 2);
    let arrival = pace.take(NEVER_ASKED, units(2), at(3600 * SECOND)).expect("fits");
    assert_eq!(delay(pace.take(arrival, units(1), at(SECOND))), Duration::from_millis(1500));
}
