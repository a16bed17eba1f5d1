use proptest::prelude::*;

use super::*;

fn milli(n: u64) -> Instant {
    Instant::after_start(Duration::from_millis(n))
}

#[test]
fn forgets_what_is_older_than_its_span() {
    let mut window = SuccessWindow::new(Duration::from_secs(1));
    window.observe(milli(0), false);
    window.observe(milli(500), true);
    assert_eq!(window.at(milli(900)), Counts { succeeded: 1, failed: 1 });
    assert_eq!(window.at(milli(1_050)), Counts { succeeded: 1, failed: 0 });
    assert_eq!(window.at(milli(5_000)), Counts::default());
}

proptest! {
    /// Against a list of all attempts, counted by whole buckets.
    #[test]
    fn counts_what_a_list_would(attempts in prop::collection::vec((0_u64..400, any::<bool>()), 1..200)) {
        let mut window = SuccessWindow::new(Duration::from_secs(1));
        let mut list = Vec::new();
        let mut now = 0;
        for (gap, succeeded) in attempts {
            now += gap;
            window.observe(milli(now), succeeded);
            list.push((now / 100, succeeded));
            let live = list.iter().filter(|(bucket, _)| now / 100 - bucket < 10);
            let (good, bad): (Vec<_>, Vec<_>) = live.copied().partition(|(_, succeeded)| *succeeded);
            let counts = window.at(milli(now));
            prop_assert_eq!((counts.succeeded as usize, counts.failed as usize), (good.len(), bad.len()));
        }
    }
}
