use super::*;

#[test]
fn pauses_lie_below_a_bound_that_doubles() {
    let (first, longest) = (Duration::from_millis(100), Duration::from_secs(1));
    for seed in 0..100 {
        let mut backoff = Backoff::new(first, longest, Chance::with_seed(seed));
        for bound in [100, 200, 400, 800, 1000, 1000] {
            assert!(backoff.next() <= Duration::from_millis(bound));
        }
        backoff.reset();
        assert!(backoff.next() <= first);
    }
}

#[test]
fn agents_do_not_come_back_together() {
    let pause =
        |seed| Backoff::new(Duration::from_secs(1), Duration::from_secs(1), Chance::with_seed(seed)).next();
    let early = (0..1000).filter(|seed| pause(*seed) < Duration::from_millis(500)).count();
    assert!((400..600).contains(&early), "{early} of 1000 in the first half");
}
