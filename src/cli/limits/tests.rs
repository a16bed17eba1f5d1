#![expect(clippy::disallowed_methods, reason = "the service of a test ends with its runtime")]

use clap::Parser;
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status};

use super::*;
use crate::{
    cli::Cli,
    proto::limit_service_server::{LimitService, LimitServiceServer},
};

struct FakeService;

#[tonic::async_trait]
impl LimitService for FakeService {
    async fn list_limits(
        &self,
        _: Request<ListLimitsRequest>,
    ) -> Result<Response<ListLimitsResponse>, Status> {
        let limits = vec![limit("users", 5)];
        Ok(Response::new(ListLimitsResponse { limits, ..ListLimitsResponse::default() }))
    }
}

#[tokio::test]
async fn the_rules_are_asked_for() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address").to_string();
    let server = tonic::transport::Server::builder().add_service(LimitServiceServer::new(FakeService));
    tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
    let cli = Cli::try_parse_from(["pointsman", "limits", "--server", &address]).expect("a good line");
    let listed = list(&cli.server).await.expect("they are listed");
    assert_eq!(listed.limits, [limit("users", 5)]);
}

fn limit(name: &str, refused_count: i64) -> Limit {
    Limit { name: name.into(), shadow: false, admitted_count: 1234, refused_count }
}

#[test]
fn rules_are_a_table_with_the_keys_below() {
    let limits = vec![limit("users", 5), Limit { shadow: true, ..limit("trial", 0) }];
    let told = told(&ListLimitsResponse { limits, key_count: 17, overflow_count: 3 });
    let expected = "\
┌───────┬──────────┬──────────┬─────────┐
│ rule  ┆ mode     ┆ admitted ┆ refused │
╞═══════╪══════════╪══════════╪═════════╡
│ users ┆ enforced ┆     1234 ┆       5 │
│ trial ┆ shadow   ┆     1234 ┆       0 │
└───────┴──────────┴──────────┴─────────┘
shadow    counted and not enforced: what it refuses goes on
keys      17 remembered now, over all rules
overflow  3 requests were counted on a shared key: the table of keys was full";
    assert_eq!(told, expected);
}

#[test]
fn without_shadow_rules_and_overflow_nothing_is_explained() {
    let told = told(&ListLimitsResponse { limits: vec![limit("users", 0)], ..Default::default() });
    assert!(told.ends_with("┘\nkeys      0 remembered now, over all rules\noverflow  none"), "{told}");
}

#[test]
fn no_rules_are_told_with_where_to_write_them() {
    let told = told(&ListLimitsResponse::default());
    assert!(told.starts_with("No limit is set. `pointsman check --schema`"), "{told}");
}
