//! One stream in memory and in paused time: what the agent says, and when.

use axum::body::{Body, Bytes};
use prost::Message as _;
use tonic::codec::Codec;
use tonic_prost::ProstCodec;
use tonic_types::ErrorDetails;

use super::*;
use crate::agent::{cache::tests::holding, tests::node};

/// What the agent says, and what the service answers.
struct Service {
    hears: mpsc::Receiver<ReportLoadRequest>,
    says: mpsc::Sender<ReportLoadResponse>,
}

fn config(sample_interval: Duration) -> AgentConfig {
    let config = AgentConfig::of(node(), "http://127.0.0.1:1".into());
    AgentConfig { host: false, sample_interval, ..config }
}

fn open(config: &AgentConfig) -> (Stream, Service) {
    let (messages, hears) = mpsc::channel(4);
    let (says, replies) = mpsc::channel::<ReportLoadResponse>(16);
    let frames = futures_util::stream::unfold(replies, |mut replies| async move {
        let message = replies.recv().await?.encode_to_vec();
        let length = u32::try_from(message.len()).expect("a small message").to_be_bytes();
        let frame = [&[0], &length[..], &message].concat();
        Some((Ok::<_, std::convert::Infallible>(Bytes::from(frame)), replies))
    });
    let decoder = ProstCodec::<ReportLoadRequest, ReportLoadResponse>::default().decoder();
    let replies = Streaming::new_request(decoder, Body::from_stream(frames), None, None);
    (Stream::new(config, messages, replies), Service { hears, says })
}

fn reply(status: ReportStatus, interval: Duration) -> ReportLoadResponse {
    ReportLoadResponse {
        status: status.into(),
        report_interval: Some(wire::duration(interval)),
        ..ReportLoadResponse::default()
    }
}

fn latency(millis: u64) -> NodeLoad {
    NodeLoad { first_token_latency: Some(Duration::from_millis(millis)), ..NodeLoad::default() }
}

fn report(service: &mut Service) -> Option<LoadReport> {
    match service.hears.try_recv().ok()?.message {
        Some(Message::Report(report)) => Some(report),
        other => panic!("no report but {other:?}"),
    }
}

/// Reports that come within 10 s if the service asks for one each `interval` and the agent looks each `sample`.
async fn reports_in_ten_seconds(sample: Duration, interval: Duration) -> usize {
    let config = config(sample);
    let (mut stream, mut service) = open(&config);
    stream.hear(Some(reply(ReportStatus::Registered, interval)));
    let mut observer = Observer::new(&config).expect("an observer");
    let count = async {
        let mut count = 0;
        while service.hears.recv().await.is_some() {
            count += 1;
            let _ = service.says.try_send(reply(ReportStatus::Applied, interval));
        }
        count
    };
    let mut end = std::pin::pin!(tokio::time::sleep(Duration::from_secs(10)));
    let (ended, count) = tokio::join!(stream.report(&mut observer, None, &mut end), count);
    assert_eq!(ended, Ended::Asked);
    // The last message is the farewell.
    count - 1
}

#[tokio::test(start_paused = true)]
async fn it_reports_at_the_pace_that_the_service_asks_for() {
    for interval in [100, 500, 2000] {
        let interval = Duration::from_millis(interval);
        let count = reports_in_ten_seconds(Duration::from_millis(100), interval).await;
        let wanted = 10_000 / interval.as_millis();
        assert!((wanted..=wanted + 1).contains(&(count as u128)), "{count} at {interval:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_rare_look_does_not_slow_the_reports() {
    let count = reports_in_ten_seconds(Duration::from_secs(5), Duration::from_millis(500)).await;
    assert!((20..=21).contains(&count), "{count}");
}

#[tokio::test(start_paused = true)]
async fn a_service_that_takes_nothing_in_does_not_hold_the_agent() {
    let config = config(Duration::from_millis(100));
    let (stream, _service) = open(&config);
    let mut observer = Observer::new(&config).expect("an observer");
    let mut end = std::pin::pin!(tokio::time::sleep(Duration::from_secs(10)));
    let started = Instant::now();
    let ended = timeout(Duration::from_mins(1), stream.report(&mut observer, None, &mut end)).await;
    assert_eq!(ended, Ok(Ended::Asked));
    let farewell = started.elapsed().saturating_sub(Duration::from_secs(10));
    assert!(farewell <= Duration::from_millis(2001), "waited {farewell:?} for an answer");
}

/// What is less goes with the regular reports.
#[tokio::test(start_paused = true)]
async fn a_cache_with_more_than_a_report_to_tell_is_told_of_at_each_look() {
    let (mut stream, mut service) = open(&config(Duration::from_millis(100)));
    let mut cache = holding(4096 + 4096 + 10);
    let mut told = || {
        stream.tell(NodeLoad::default(), Some(&mut cache));
        let report = report(&mut service)?;
        let events = report.kv_events.unwrap_or_default();
        let applied = reply(ReportStatus::Applied, Duration::from_secs(1));
        pass_on(&ReportLoadResponse { applied_sequence: report.sequence, ..applied }, &mut cache);
        Some(
            events
                .changes
                .iter()
                .flat_map(|change| &change.stored)
                .map(|run| run.blocks.len())
                .sum::<usize>(),
        )
    };
    assert_eq!([told(), told(), told()], [Some(4096), Some(4096), None]);
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_eq!([told(), told()], [Some(10), None]);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_report_leaves_no_gap_in_the_sequence() {
    let (mut stream, mut service) = open(&config(Duration::from_millis(100)));
    for _ in 0..6 {
        assert_eq!(stream.tell(NodeLoad::default(), None), None);
        tokio::time::advance(Duration::from_secs(1)).await;
    }
    while report(&mut service).is_some() {}
    stream.tell(NodeLoad::default(), None);
    assert_eq!(report(&mut service).map(|report| report.sequence), Some(5));
}

#[tokio::test(start_paused = true)]
async fn a_latency_seen_between_two_reports_is_carried_by_the_second() {
    let (mut stream, mut service) = open(&config(Duration::from_millis(100)));
    let mut carried = || report(&mut service)?.load?.first_token_latency;
    stream.tell(NodeLoad::default(), None);
    assert_eq!(carried(), None);
    stream.tell(latency(250), None);
    for due in [true, false] {
        tokio::time::advance(Duration::from_secs(1)).await;
        stream.tell(NodeLoad::default(), None);
        assert_eq!(carried().is_some(), due, "once, and only once");
    }
}

#[tokio::test]
async fn each_field_that_moves_sharply_counts() {
    let (stream, _service) = open(&config(Duration::from_millis(100)));
    let half = Ratio::try_new(0.5).ok();
    let before = NodeLoad { cpu: Some(Ratio::ZERO), kv_cache: half, waiting: Some(5), ..NodeLoad::default() };
    let cases = [
        (before.clone(), false),
        (NodeLoad { cpu: Ratio::try_new(0.09).ok(), ..before.clone() }, false),
        (NodeLoad { cpu: half, ..before.clone() }, true),
        (NodeLoad { kv_cache: Some(Ratio::ONE), ..before.clone() }, true),
        (NodeLoad { waiting: Some(14), ..before.clone() }, false),
        (NodeLoad { waiting: Some(15), ..before.clone() }, true),
    ];
    for (now, sharp) in cases {
        assert_eq!(stream.is_sharp(&before, &now), sharp, "{now:?}");
    }
}

#[tokio::test]
async fn a_service_that_is_about_to_stop_ends_the_stream() {
    let (mut stream, _service) = open(&config(Duration::from_millis(100)));
    let pace = Duration::from_millis(500);
    assert_eq!(stream.hear(Some(reply(ReportStatus::Applied, pace))), None);
    assert!(matches!(stream.hear(Some(reply(ReportStatus::Reconnect, pace))), Some(Ended::Broken(_))));
    assert!(matches!(stream.hear(None), Some(Ended::Broken(_))));
}

#[tokio::test]
async fn a_refusal_is_remembered_until_a_report_is_applied() {
    let (mut stream, _service) = open(&config(Duration::from_millis(100)));
    let violation =
        FieldViolation { field: "report.load.cpu_utilization".into(), ..FieldViolation::default() };
    let pace = Duration::from_millis(500);
    let refused = ReportLoadResponse {
        field_violations: vec![violation.clone()],
        ..reply(ReportStatus::Refused, pace)
    };
    assert_eq!(stream.hear(Some(refused)), None);
    assert_eq!(stream.refused, [violation]);
    stream.hear(Some(reply(ReportStatus::Applied, pace)));
    assert!(stream.refused.is_empty(), "the same refusal is news again");
}

#[test]
fn a_refused_node_is_told_which_fields_are_wrong() {
    let details = ErrorDetails::with_bad_request_violation("registration.spec.weight", "must be over 0");
    let status = Status::with_error_details(Code::InvalidArgument, "malformed", details);
    assert_eq!(ended(&status), Ended::Refused("`registration.spec.weight` must be over 0".into()));
    assert_eq!(ended(&Status::invalid_argument("malformed")), Ended::Refused("malformed".into()));
    assert!(matches!(ended(&Status::failed_precondition("late")), Ended::Broken(_)));
}
