use super::*;

fn served(tier: Tier, millis: Option<u64>, node: &str, at: Instant) -> Served {
    Served {
        tier: Some(tier),
        first_token: millis.map(Duration::from_millis),
        picks: vec![(node.into(), at)],
        failed_attempts: usize::from(millis.is_none()),
    }
}

#[test]
fn percentiles_are_samples() {
    let samples: Vec<_> = (1..=200).map(Duration::from_millis).collect();
    assert_eq!((percentile(&samples, 0.50), percentile(&samples, 0.99)), (100.0, 198.0));
    assert_eq!((percentile(&samples[..1], 0.99), percentile(&[], 0.99)), (1.0, 0.0));
}

#[test]
fn the_table_tells_what_happened() {
    let killed = Instant::now();
    let late = killed + Duration::from_millis(40);
    let round_robin = vec![
        served(Tier::Premium, Some(100), "node-1", killed),
        served(Tier::Premium, None, KILLED, late),
        served(Tier::Free, Some(900), "node-3", killed),
        served(Tier::Free, Some(1900), "node-4", killed),
    ];
    let pointsman = vec![
        served(Tier::Premium, Some(90), "node-1", killed),
        served(Tier::Free, Some(300), "node-3", killed),
        Served::lost(),
    ];
    let summary = Summary::of(Duration::from_secs(30), killed, [&round_robin, &pointsman]);
    let expected = include_str!("table.txt");
    assert_eq!(format!("{summary}\n"), expected);
}
