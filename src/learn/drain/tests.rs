use super::*;

fn falling(points_a_second: f64) -> Drain {
    let mut drain = Drain::default();
    for tick in 0..50_u32 {
        let at = Instant::after_start(Duration::from_millis(200) * tick);
        drain.observe(at, 100.0 - points_a_second * f64::from(tick) * 0.2);
    }
    drain
}

#[test]
fn a_steady_fall_is_foretold() {
    // At 9.8 s the load is 80.4; at 2 points a second it is 70 after 5.2 s more.
    let drain = falling(2.0);
    let left = drain.time_to(70.0, Instant::after_start(Duration::from_secs(10))).expect("it falls");
    assert!((5.1..5.3).contains(&left.as_secs_f64()), "{left:?}");
    assert_eq!(drain.time_to(90.0, Instant::ZERO), Some(Duration::ZERO), "it is there already");
}

#[test]
fn a_load_that_does_not_fall_has_no_end() {
    assert_eq!(Drain::default().time_to(70.0, Instant::ZERO), None);
    assert_eq!(falling(0.0).time_to(70.0, Instant::ZERO), None);
    assert_eq!(falling(-1.0).time_to(70.0, Instant::ZERO), None);
}

#[test]
fn a_burst_of_samples_is_no_slope() {
    let mut drain = Drain::default();
    for micros in 0..1000 {
        let at = Instant::after_start(Duration::from_micros(micros));
        drain.observe(at, if micros % 2 == 0 { 80.0 } else { 81.0 });
    }
    assert_eq!(drain.time_to(70.0, Instant::ZERO), None);
}
