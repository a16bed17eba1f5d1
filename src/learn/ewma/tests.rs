use proptest::prelude::*;

use super::*;

const TAU: Duration = Duration::from_secs(10);

fn second(n: u64) -> Instant {
    Instant::after_start(Duration::from_secs(n))
}

#[test]
fn a_peak_is_taken_at_once_and_forgotten_slowly() {
    let mut latency = PeakEwma::new(TAU);
    latency.observe(second(1), 1.0);
    latency.observe(second(2), 9.0);
    assert_eq!(latency.at(second(2)), 9.0);
    latency.observe(second(3), 1.0);
    assert!((8.0..9.0).contains(&latency.at(second(3))));
    assert!(latency.at(second(40)) < 0.3);
}

#[test]
fn reading_changes_nothing() {
    let mut latency = PeakEwma::new(TAU);
    latency.observe(second(1), 4.0);
    let before = latency;
    let _ = latency.at(second(100));
    assert_eq!(latency, before);
}

proptest! {
    #[test]
    fn a_mean_stays_between_its_samples(samples in prop::collection::vec((0_u64..100, 0.0..1e6_f64), 1..50)) {
        let mut mean = Ewma::new(TAU);
        let mut now = 0;
        for (gap, sample) in &samples {
            now += gap;
            mean.observe(second(now), *sample);
        }
        let low = samples.iter().map(|s| s.1).fold(f64::INFINITY, f64::min);
        let high = samples.iter().map(|s| s.1).fold(0.0, f64::max);
        let mean = mean.at(second(now)).expect("it has samples");
        prop_assert!(low - 1e-6 <= mean && mean <= high + 1e-6);
    }
}
