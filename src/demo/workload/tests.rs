use super::*;

const LONG: Duration = Duration::from_mins(5);

fn share(arrivals: &[Arrival], which: impl Fn(&Arrival) -> bool) -> f64 {
    arrivals.iter().filter(|arrival| which(arrival)).count() as f64 / arrivals.len() as f64
}

/// Variance of the counts in half-second windows over their mean: 1 for a Poisson process.
fn dispersion(arrivals: &[Arrival]) -> f64 {
    let mut counts = vec![0.0_f64; 600];
    for arrival in arrivals {
        counts[(arrival.at.as_millis() / 500) as usize] += 1.0;
    }
    let mean = counts.iter().sum::<f64>() / 600.0;
    counts.iter().map(|count| (count - mean).powi(2)).sum::<f64>() / 600.0 / mean
}

#[test]
fn the_same_seed_makes_the_same_requests() {
    assert_eq!(arrivals(7, LONG), arrivals(7, LONG));
}

#[test]
fn another_seed_makes_other_requests() {
    assert_ne!(arrivals(7, LONG), arrivals(8, LONG));
}

#[test]
fn requests_come_in_order_and_within_the_run() {
    let arrivals = arrivals(7, LONG);
    assert!(arrivals.is_sorted_by_key(|arrival| arrival.at));
    assert!(arrivals.iter().all(|arrival| arrival.at < LONG));
    assert!(arrivals.iter().enumerate().all(|(place, arrival)| arrival.index == place));
}

#[test]
fn the_mix_is_the_intended_one() {
    let arrivals = arrivals(7, LONG);
    let premium = share(&arrivals, |arrival| arrival.tier == Tier::Premium);
    let images = share(&arrivals, |arrival| arrival.work == Work::Image);
    let audio = share(&arrivals, |arrival| matches!(arrival.work, Work::Audio { .. }));
    assert!((premium - PREMIUM_SHARE).abs() < 0.02, "{premium}");
    assert!((images - IMAGE_SHARE).abs() < 0.01, "{images}");
    assert!((audio - AUDIO_SHARE).abs() < 0.01, "{audio}");
}

#[test]
fn arrivals_are_burstier_than_a_poisson_process() {
    let dispersion = dispersion(&arrivals(7, LONG));
    assert!(dispersion > 2.0, "{dispersion}");
}

#[test]
fn lengths_have_a_long_tail() {
    let prompt = |arrival: &Arrival| match arrival.work {
        Work::Text { prompt_tokens, .. } => Some(prompt_tokens),
        Work::Image | Work::Audio { .. } => None,
    };
    let mut prompts: Vec<u32> = arrivals(7, LONG).iter().filter_map(prompt).collect();
    prompts.sort_unstable();
    let (median, tail) = (prompts[prompts.len() / 2], prompts[prompts.len() * 99 / 100]);
    assert!(tail > 7 * median, "median {median}, 99th percentile {tail}");
    assert!(prompts.iter().all(|tokens| (1..=6000).contains(tokens)));
}
