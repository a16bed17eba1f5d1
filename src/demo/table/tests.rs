use std::collections::BTreeMap;

use super::*;
use crate::demo::rush::Side;

fn tally(balance: &'static str, p99_ms: f64, shares: [f64; 2]) -> Tally {
    let times = |p50_ms, p99_ms| Some(Percentiles { p50_ms, p99_ms });
    let nodes = ["fast", "slow"].map(String::from);
    Tally {
        balance,
        requests: 1200,
        failed_attempts: 9,
        lost_requests: 0,
        premium_first_token: times(41.3, p99_ms),
        free_first_token: times(52.8, p99_ms),
        image_and_audio: None,
        pick: times(0.42, 1.9),
        share_until_kill: nodes.into_iter().zip(shares).collect::<BTreeMap<_, _>>(),
        last_pick_of_killed_ms: (p99_ms < 1000.0).then_some(7.25),
    }
}

fn side(known: usize, limited: usize, turned_away: usize, peak_ms: f64) -> Side {
    let times = |p99_ms| Some(Percentiles { p50_ms: 61.0, p99_ms });
    Side {
        requests: 470,
        known,
        computed: 470 - known - limited - turned_away,
        limited,
        served_when_told: (limited > 0).then_some(true),
        turned_away,
        premium_unanswered: 0,
        premium_calm: times(75.0),
        premium_peak: times(peak_ms),
    }
}

#[test]
fn the_table_puts_the_rivals_side_by_side() {
    let summary = Summary {
        seed: 7,
        duration_seconds: 30.0,
        killed_node: "slow",
        killed_after_seconds: 15.0,
        round_robin: tally("round_robin", 2345.6, [0.5, 0.5]),
        pointsman: tally("weighted_load", 210.4, [0.74, 0.26]),
        rush: Rush { without: side(0, 0, 0, 2400.0), with: side(120, 16, 150, 180.0) },
    };
    assert_eq!(summary.to_string(), include_str!("golden.txt").trim_end());
}
