use tonic::codegen::http::HeaderValue;

use super::*;

fn told(text: &str) -> Option<Duration> {
    let mut headers = HeaderMap::new();
    headers.insert("grpc-timeout", HeaderValue::from_str(text).expect("a header"));
    of(&headers)
}

#[test]
fn every_unit_is_read() {
    let units = ["1H", "2M", "3S", "4m", "5u", "6n"].map(told);
    let spans = [
        Duration::from_hours(1),
        Duration::from_mins(2),
        Duration::from_secs(3),
        Duration::from_millis(4),
        Duration::from_micros(5),
        Duration::from_nanos(6),
    ];
    assert_eq!(units, spans.map(Some));
    assert!(told("99999999H").is_some());
}

#[test]
fn what_the_protocol_does_not_know_is_no_deadline() {
    for text in ["", "S", "1", "1s", "-1S", "+1S", "1.5S", "123456789S", "1 S", "S1"] {
        assert_eq!(told(text), None, "{text}");
    }
    assert_eq!(of(&HeaderMap::new()), None);
}

#[tokio::test(start_paused = true)]
async fn a_reply_that_takes_too_long_is_told_so() {
    let never = std::future::pending::<Result<(), Status>>();
    let late = within(Some(Duration::from_secs(1)), never).await.expect_err("it never comes");
    assert_eq!(late.code(), tonic::Code::DeadlineExceeded);
}
