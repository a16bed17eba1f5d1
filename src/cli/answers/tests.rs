//! The commands against a service that writes down what it is asked.
#![expect(clippy::disallowed_methods, reason = "the service of a test ends with its runtime")]

use std::{io::Write, sync::Arc};

use clap::Parser;
use parking_lot::Mutex;
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status};

use super::*;
use crate::{
    cli::{Cli, Command},
    proto::{
        GetAnswerStatsRequest, GetAnswerStatsResponse, PurgeAnswersRequest, PurgeAnswersResponse,
        RequestType, StoreAnswerRequest, StoreAnswerResponse, Volatility,
        answer_service_server::{AnswerService, AnswerServiceServer},
        purge_answers_request,
        store_answer_request::{Body, Question},
    },
};

const HEX: &str = "00112233445566778899aabbccddeeff";
const BYTES: [u8; 16] =
    [0, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff];

#[derive(Clone, Default)]
struct FakeService {
    stored: Arc<Mutex<Option<StoreAnswerRequest>>>,
    purged: Arc<Mutex<Option<PurgeAnswersRequest>>>,
}

#[tonic::async_trait]
impl AnswerService for FakeService {
    async fn store_answer(
        &self,
        request: Request<StoreAnswerRequest>,
    ) -> Result<Response<StoreAnswerResponse>, Status> {
        *self.stored.lock() = Some(request.into_inner());
        let fresh_for = Some(prost_types::Duration { seconds: 540, nanos: 0 });
        Ok(Response::new(StoreAnswerResponse { fresh_for }))
    }

    async fn purge_answers(
        &self,
        request: Request<PurgeAnswersRequest>,
    ) -> Result<Response<PurgeAnswersResponse>, Status> {
        *self.purged.lock() = Some(request.into_inner());
        Ok(Response::new(PurgeAnswersResponse { purged_count: 2 }))
    }

    async fn get_answer_stats(
        &self,
        _: Request<GetAnswerStatsRequest>,
    ) -> Result<Response<GetAnswerStatsResponse>, Status> {
        Ok(Response::new(GetAnswerStatsResponse { hit_count: 7, ..GetAnswerStatsResponse::default() }))
    }
}

/// What a command says against the service.
async fn told(service: &FakeService, line: &str) -> Result<String, Fault> {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let server = tonic::transport::Server::builder().add_service(AnswerServiceServer::new(service.clone()));
    tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
    let line = format!("pointsman --server {address} answers {line}");
    let cli = Cli::try_parse_from(line.split(' ')).expect("a good line");
    let Command::Answers(Answers { act }) = cli.command else { panic!("{line}") };
    Ok(match act {
        Act::Store(command) => store::told(&command.ask(&cli.server).await?),
        Act::Purge(command) => purge::told(&command.ask(&cli.server).await?),
        Act::Stats(command) => stats::told(&command.ask(&cli.server).await?),
    })
}

#[tokio::test]
async fn an_answer_is_stored_with_everything_that_was_said() {
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    file.write_all(b"\xffanswer\n").expect("it takes bytes");
    let service = FakeService::default();
    let line = format!(
        "store --type image --model m --model-version 2 --tenant t --fingerprint {HEX} --inline {} \
         --content-type image/png --ttl 10m --volatility fact",
        file.path().display()
    );
    assert_eq!(told(&service, &line).await.expect("it is stored"), "Stored: fresh for 9m.");
    let expected = StoreAnswerRequest {
        tenant: "t".into(),
        request_type: RequestType::Image.into(),
        model: "m".into(),
        model_version: "2".into(),
        question: Some(Question::Fingerprint(BYTES.to_vec())),
        body: Some(Body::Inline(b"\xffanswer\n".to_vec())),
        content_type: "image/png".into(),
        ttl: Some(prost_types::Duration { seconds: 600, nanos: 0 }),
        volatility: Volatility::Fact.into(),
    };
    assert_eq!(*service.stored.lock(), Some(expected));
}

#[tokio::test]
async fn what_was_not_said_is_absent() {
    let service = FakeService::default();
    let line = format!("store --type text --model m --fingerprint {HEX} --reference s3://a/b");
    told(&service, &line).await.expect("it is stored");
    let expected = StoreAnswerRequest {
        request_type: RequestType::Text.into(),
        model: "m".into(),
        question: Some(Question::Fingerprint(BYTES.to_vec())),
        body: Some(Body::Reference("s3://a/b".into())),
        ..StoreAnswerRequest::default()
    };
    assert_eq!(*service.stored.lock(), Some(expected));
}

#[tokio::test]
async fn request_and_answer_cannot_both_be_standard_input() {
    let service = FakeService::default();
    let line = "store --type text --model m --canonical-request - --inline -";
    let fault = told(&service, line).await.expect_err("one input, two flags").to_string();
    assert!(fault.starts_with("error: `--canonical-request` and `--inline` cannot both"), "{fault}");
    assert_eq!(*service.stored.lock(), None);
}

#[tokio::test]
async fn one_answer_is_purged_by_its_question() {
    let service = FakeService::default();
    let line = format!("purge --tenant t --type text --model m --fingerprint {HEX}");
    assert_eq!(told(&service, &line).await.expect("it is purged"), "Forgot 2 answers.");
    let expected = PurgeAnswersRequest {
        tenant: "t".into(),
        model: "m".into(),
        question: Some(purge_answers_request::Question::Fingerprint(BYTES.to_vec())),
        request_type: RequestType::Text.into(),
        ..PurgeAnswersRequest::default()
    };
    assert_eq!(*service.purged.lock(), Some(expected));
}

#[tokio::test]
async fn without_flags_all_answers_of_the_default_tenant_are_purged() {
    let service = FakeService::default();
    told(&service, "purge").await.expect("they are purged");
    assert_eq!(*service.purged.lock(), Some(PurgeAnswersRequest::default()));
}

#[test]
fn what_was_purged_is_counted_in_words() {
    let told = |purged_count| purge::told(&PurgeAnswersResponse { purged_count });
    assert_eq!(told(0), "Forgot nothing: no answer matched.");
    assert_eq!(told(1), "Forgot 1 answer.");
}

#[tokio::test]
async fn counters_are_asked_for() {
    let told = told(&FakeService::default(), "stats").await.expect("they are told");
    assert!(told.ends_with("hit ratio 100.0 %"), "{told}");
}

#[test]
fn counters_are_a_table_with_the_share_of_hits_below() {
    let told = stats::told(&GetAnswerStatsResponse {
        hit_count: 30,
        miss_count: 10,
        stale_count: 2,
        coalesced_count: 3,
        stored_count: 8,
        evicted_count: 1,
        purged_count: 4,
        entry_count: 3,
        bytes: 65_536,
    });
    let expected = "\
┌────────────────┬───────┐
│ answers        ┆ count │
╞════════════════╪═══════╡
│ hits           ┆    30 │
│ misses         ┆    10 │
│ given stale    ┆     2 │
│ waited for     ┆     3 │
│ stored         ┆     8 │
│ evicted        ┆     1 │
│ purged         ┆     4 │
│ held now       ┆     3 │
│ bytes held now ┆ 65536 │
└────────────────┴───────┘
hit ratio 75.0 %";
    assert_eq!(told, expected);
    assert!(stats::told(&GetAnswerStatsResponse::default()).ends_with("hit ratio –"));
}
