use super::*;

#[test]
fn a_flood_is_told_once_a_second_with_how_many_were_not() {
    let mut seldom = Seldom::default();
    let start = Instant::now();
    let told = (0..2_500).filter_map(|ms| seldom.tell(start + Duration::from_millis(ms)));
    assert_eq!(told.collect::<Vec<_>>(), [0, 999, 999]);
}

#[test]
fn what_comes_seldom_is_always_told() {
    let mut seldom = Seldom::default();
    let start = Instant::now();
    for seconds in 0..5 {
        assert_eq!(seldom.tell(start + INTERVAL * seconds), Some(0));
    }
}
