use super::*;

fn at(seconds: u64) -> Instant {
    Instant::from_nanos(seconds * 1_000_000_000)
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

#[test]
fn nothing_is_told_before_there_was_enough_work() {
    let mut throughput = Throughput::default();
    throughput.observe(at(1), 1000.0, ms(116));
    assert_eq!(throughput.get(), None);
    throughput.observe(at(1), 1000.0, ms(116));
    assert_eq!(throughput.get(), Some(10.0));
}

#[test]
fn a_node_that_slows_down_is_noticed_within_seconds_and_forgiven_as_soon() {
    let mut throughput = Throughput::default();
    (0..60).for_each(|second| throughput.observe(at(second), 5000.0, ms(516)));
    // Three times as slow: the samples take three times as long.
    (60..75).for_each(|second| throughput.observe(at(second), 5000.0, ms(1516)));
    let slowed = throughput.get().expect("enough work");
    assert!(slowed < 6.0, "{slowed}");
    (75..105).for_each(|second| throughput.observe(at(second), 5000.0, ms(516)));
    let forgiven = throughput.get().expect("enough work");
    assert!(forgiven > 7.5, "{forgiven}");
}

#[test]
fn short_samples_weigh_little() {
    let mut throughput = Throughput::default();
    throughput.observe(at(1), 50_000.0, ms(5016));
    throughput.observe(at(1), 10.0, ms(100));
    let told = throughput.get().expect("enough work");
    assert!((9.5..10.0).contains(&told), "{told}");
}

#[test]
fn a_queue_that_has_built_up_tells_a_slow_node_sooner() {
    let mut throughput = Throughput::default();
    (0..60).for_each(|second| throughput.observe(at(second), 5000.0, ms(516)));
    // Each sample is of all that lay before the request: five of them in eight seconds.
    (1..=5).for_each(|turn| {
        throughput.observe(at(60 + 5 * turn / 3), 5000.0 * turn as f64, ms(1667 * turn));
    });
    let slowed = throughput.get().expect("enough work");
    assert!(slowed < 5.0, "{slowed}");
}

#[test]
fn no_time_at_all_is_no_infinite_speed() {
    let mut throughput = Throughput::default();
    throughput.observe(at(1), 5000.0, Duration::ZERO);
    assert_eq!(throughput.get(), Some(5000.0));
}
