use super::*;

fn minutes(seed: u64) -> Vec<Arrival> {
    Workload::new(seed).until(Duration::from_mins(10)).collect()
}

#[test]
fn a_seed_sends_the_same_requests_again() {
    assert_eq!(minutes(1), minutes(1));
    assert_ne!(minutes(1), minutes(2));
}

#[test]
fn the_mix_is_as_promised() {
    let arrivals = minutes(3);
    let share = |wanted: fn(&Arrival) -> bool| {
        arrivals.iter().filter(|arrival| wanted(arrival)).count() as f64 / arrivals.len() as f64
    };
    assert!((share(|a| a.tier == Tier::Premium) - PREMIUM).abs() < 0.02);
    assert!((share(|a| a.kind == RequestType::Image) - IMAGES).abs() < 0.02);
    assert!((share(|a| a.kind == RequestType::Audio) - TRANSCRIPTIONS).abs() < 0.02);
}

/// Poisson arrivals would have as much variance as mean.
#[test]
fn arrivals_come_in_bursts() {
    let mut per_second = vec![0.0; 600];
    for arrival in minutes(4) {
        per_second[usize::try_from(arrival.at.as_secs()).expect("below 600")] += 1.0;
    }
    let mean = per_second.iter().sum::<f64>() / 600.0;
    let variance = per_second.iter().map(|n| (n - mean) * (n - mean)).sum::<f64>() / 600.0;
    assert!(variance > 3.0 * mean, "variance {variance:.1} at mean {mean:.1}");
}

#[test]
fn lengths_have_a_long_tail() {
    let mut answers: Vec<_> = minutes(5).iter().map(|arrival| arrival.answer_tokens).collect();
    answers.sort_unstable();
    let (median, p99) = (answers[answers.len() / 2], answers[answers.len() * 99 / 100]);
    assert!((18..=22).contains(&median), "median {median}");
    assert!(p99 > 3 * median, "p99 {p99}");
}
