use super::*;

#[test]
fn times_are_short() {
    let cases = [
        (0.0, "0 ms"),
        (0.52, "0.5 ms"),
        (42.4, "42 ms"),
        (999.0, "999 ms"),
        (1_000.0, "1 s"),
        (4_249.0, "4.2 s"),
        (103_513.0, "104 s"),
        (180_000.0, "3 min"),
        (7_200_000.0, "2 h"),
    ];
    for (millis, expected) in cases {
        assert_eq!(time(millis), expected);
    }
}

#[test]
fn thousands_stand_apart() {
    assert_eq!(
        [0.4, 12.0, 123.0, 1_234.0, 123_456.0, 1_234_567.0].map(grouped),
        ["0", "12", "123", "1,234", "123,456", "1,234,567"]
    );
}
