use super::*;

#[test]
fn percentiles_are_by_nearest_rank() {
    let numbers: Vec<f64> = (1..=100).map(f64::from).collect();
    assert_eq!([0.5, 0.9, 0.99, 1.0].map(|share| percentile(&numbers, share)), [50.0, 90.0, 99.0, 100.0]);
    assert_eq!((percentile(&[], 0.5), percentile(&[7.0], 0.01)), (0.0, 7.0));
}

#[test]
fn variation_is_zero_for_equals_and_for_none() {
    assert_eq!((variation(&[3.0, 3.0]), variation(&[]), variation(&[0.0, 0.0])), (0.0, 0.0, 0.0));
    assert_eq!(variation(&[0.0, 2.0]), 1.0);
}
