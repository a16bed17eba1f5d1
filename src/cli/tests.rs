use clap::{CommandFactory, error::ErrorKind};

use super::*;
use crate::proto::{
    self, Drop, Explanation, Filter, NodeVerdict, PickNodeResponse, Rejection, RejectionReason, Score,
    node_verdict::Verdict, pick_node_response::Outcome,
};

fn parse(line: &str) -> Result<Cli, ErrorKind> {
    Cli::try_parse_from(line.split(' ')).map_err(|error| error.kind())
}

#[test]
fn the_command_line_is_consistent() {
    Cli::command().debug_assert();
}

#[test]
fn good_lines_are_understood() {
    for line in [
        "pointsman serve",
        "pointsman serve --config p.yaml --listen 127.0.0.1:50051",
        "pointsman report --node n --class high --endpoint text=http://a --endpoint image=http://b --model m@1,2 --cpu 0.30 --memory 0.40 --waiting 5 --hold",
        "pointsman pick --type text --model m --model-version v --tenant t --user u --tier premium --priority high --exclude a --exclude b --prompt-tokens 9 --max-wait 500ms --explain",
        "pointsman explain --type rerank --model m --server h:1",
        "pointsman outcome --request-id r --result ok --first-token-latency 120ms",
        "pointsman outcome --request-id r --result running --lease-id 1f",
        "pointsman nodes list -o json",
        "pointsman nodes drain n --server http://h:1",
        "pointsman agent --node n --endpoint text=http://a --engine llama_cpp --engine-url http://a/metrics",
        "pointsman check --schema",
        "pointsman healthcheck --service liveness",
        "pointsman demo --duration 5s --seed 3 --serve",
        "pointsman version",
    ] {
        assert!(parse(line).is_ok(), "{line}");
    }
}

#[test]
fn bad_lines_are_refused() {
    for (line, kind) in [
        ("pointsman", ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand),
        ("pointsman pick --model m", ErrorKind::MissingRequiredArgument),
        ("pointsman pick --type words --model m", ErrorKind::InvalidValue),
        ("pointsman pick --type text --model m --max-wait soon", ErrorKind::ValueValidation),
        ("pointsman report --node n", ErrorKind::MissingRequiredArgument),
        ("pointsman report --node n --endpoint http://a", ErrorKind::ValueValidation),
        ("pointsman report --node n --endpoint word=http://a", ErrorKind::ValueValidation),
        ("pointsman outcome --request-id r --result fine", ErrorKind::InvalidValue),
        ("pointsman agent --engine vllm", ErrorKind::MissingRequiredArgument),
        ("pointsman agent --engine other --engine-url http://a", ErrorKind::ValueValidation),
        ("pointsman serve --listen nowhere", ErrorKind::ValueValidation),
    ] {
        assert_eq!(parse(line).err(), Some(kind), "{line}");
    }
}

#[test]
fn a_rejection_is_told_with_its_filter_and_when_to_come_back() {
    let rejection = Rejection {
        reason: RejectionReason::NoEligibleNode.into(),
        message: "no node is left".into(),
        retry_delay: Some(prost_types::Duration { seconds: 1, nanos: 500_000_000 }),
        emptied_by: Filter::Breaker.into(),
        over_limit: None,
    };
    let response =
        PickNodeResponse { outcome: Some(Outcome::Rejection(rejection)), ..PickNodeResponse::default() };
    let expected = "rejected: no node is left\n  filter       breaker\n  again        in 1.50 s";
    assert_eq!(decision::told(&response), expected);
    assert_eq!(decision::ending(&response), Ending::Rejected);
}

#[test]
fn an_explanation_is_a_table_with_the_picked_node_first() {
    let score = |rank, load| Verdict::Score(Score { rank, load, cost: load, ..Score::default() });
    let verdict = |id: &str, verdict| NodeVerdict { node_id: id.into(), verdict: Some(verdict) };
    let explanation = Explanation {
        balance: "weighted_load".into(),
        node_class: proto::NodeClass::High.into(),
        topology_revision: 3,
        nodes: vec![
            verdict("a", score(1, 25.5)),
            verdict("b", Verdict::Drop(Drop { filter: Filter::Drain.into(), message: String::new() })),
            verdict("c", score(0, 21.4)),
        ],
        ..Explanation::default()
    };
    let table = verdicts::table(&explanation);
    let nodes: Vec<_> = table.lines().filter_map(|line| line.split('┆').nth(1)).map(str::trim).collect();
    assert_eq!(nodes, ["node", "c", "a", "b (draining)"]);
    assert!(table.ends_with("balance weighted_load, class high, table revision 3"), "{table}");
}

#[test]
fn a_fault_says_what_why_and_what_to_do() {
    let cause = std::io::Error::other("connection refused");
    let fault = Fault::new("cannot reach the service").because(cause).hint("start it");
    assert_eq!(fault.to_string(), "error: cannot reach the service\n  connection refused\nhint: start it");
}

#[test]
fn a_malformed_request_names_its_fields() {
    let invalid = crate::api::convert::Invalid::field("model", "must not be empty");
    let fault = Fault::status(&crate::api::status::invalid(&invalid));
    let expected = "error: the service refused the request as malformed\n  `model` must not be empty\n\
                    hint: mend the fields named above";
    assert_eq!(fault.to_string(), expected);
}
