use clap::{CommandFactory, error::ErrorKind};

use super::*;
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
        "pointsman outcome --request-id r --result ok --input-tokens 9 --output-tokens 0 --cached-tokens 3",
        "pointsman pick --type text --model m --max-output-tokens 512 --fingerprint 00112233445566778899aabbccddeeff --answer-use read-only",
        "pointsman pick --type text --model m --canonical-request - --answer-use refresh",
        "pointsman explain --type text --model m --canonical-request request.json --answer-use share",
        "pointsman answers store --type text --model m --fingerprint 00112233445566778899aabbccddeeff --inline -",
        "pointsman answers store --type image --model m --model-version 2 --tenant t --canonical-request - --reference s3://a --content-type image/png --ttl 10m --volatility live",
        "pointsman answers purge",
        "pointsman answers purge --tenant t --model m --model-version 2",
        "pointsman answers purge --type text --model m --fingerprint 00112233445566778899aabbccddeeff",
        "pointsman answers stats -o json",
        "pointsman limits",
        "pointsman limits -o json --server h:1",
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
        (
            "pointsman pick --type text --model m --fingerprint 00112233445566778899aabbccddeeff --canonical-request -",
            ErrorKind::ArgumentConflict,
        ),
        ("pointsman pick --type text --model m --fingerprint 0011", ErrorKind::ValueValidation),
        ("pointsman pick --type text --model m --answer-use never", ErrorKind::InvalidValue),
        ("pointsman answers", ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand),
        ("pointsman answers get", ErrorKind::InvalidSubcommand),
        ("pointsman answers store --type text --model m --inline -", ErrorKind::MissingRequiredArgument),
        (
            "pointsman answers store --type text --model m --canonical-request r",
            ErrorKind::MissingRequiredArgument,
        ),
        (
            "pointsman answers store --type text --model m --canonical-request r --inline - --reference s3://a",
            ErrorKind::ArgumentConflict,
        ),
        ("pointsman answers purge --model-version 2", ErrorKind::MissingRequiredArgument),
        ("pointsman answers purge --type text --model m", ErrorKind::MissingRequiredArgument),
        ("pointsman answers purge --canonical-request r --type text", ErrorKind::MissingRequiredArgument),
        ("pointsman answers purge --canonical-request r --model m", ErrorKind::MissingRequiredArgument),
        ("pointsman agent --engine vllm", ErrorKind::MissingRequiredArgument),
        ("pointsman agent --engine other --engine-url http://a", ErrorKind::ValueValidation),
        ("pointsman serve --listen nowhere", ErrorKind::ValueValidation),
    ] {
        assert_eq!(parse(line).err(), Some(kind), "{line}");
    }
}

#[test]
fn a_fault_says_what_why_and_what_to_do() {
    let cause = std::io::Error::other("connection refused");
    let fault = Fault::new("cannot reach the service").because(cause).hint("start it");
    assert_eq!(fault.to_string(), "error: cannot reach the service\n  connection refused\nhint: start it");
}

#[test]
fn what_a_cause_advises_is_the_hint() {
    let source = std::io::Error::other("address in use");
    let address = "127.0.0.1:1".parse().expect("an address");
    let fault = Fault::new("the service cannot go on")
        .because(crate::app::AppError::Logs(filter_error()))
        .to_string();
    assert!(fault.starts_with("error: the service cannot go on\n  cannot start the logs\n"), "{fault}");
    assert!(fault.contains("\n  `log.filter` is not a filter\n"), "{fault}");
    assert!(
        fault.ends_with("\nhint: write levels and targets, such as `info,pointsman::api=debug`"),
        "{fault}"
    );
    let fault = Fault::new("no").because(crate::app::AppError::Listen { address, source });
    let expected = "error: no\n  cannot listen on 127.0.0.1:1\n  address in use\n\
                    hint: choose another with `--listen`";
    assert_eq!(fault.to_string(), expected);
}

fn filter_error() -> crate::telemetry::LogError {
    let parsed = "a=b=c".parse::<tracing_subscriber::filter::Directive>();
    parsed.expect_err("no filter").into()
}

#[test]
fn a_number_out_of_range_is_told_by_its_flag_and_the_range() {
    for (flags, flag, range) in [
        ("report --node n --endpoint text=http://a --waiting -1", "--waiting <N>", "0..=1000000"),
        ("report --node n --endpoint text=http://a --running -1", "--running <N>", "0..=1000000"),
        ("report --node n --endpoint text=http://a --cpu -0.5", "--cpu <RATIO>", "from 0 to 1"),
        ("report --node n --endpoint text=http://a --gpu NaN", "--gpu <RATIO>", "from 0 to 1"),
        ("report --node n --endpoint text=http://a --memory 30%", "--memory <RATIO>", "from 0 to 1"),
        ("pick --type text --model m --prompt-tokens -1", "--prompt-tokens <N>", "0..=100000000"),
        ("pick --type text --model m --max-output-tokens -1", "--max-output-tokens <N>", "0..=100000000"),
        (
            "outcome --request-id r --result ok --output-tokens 100000001",
            "--output-tokens <N>",
            "0..=100000000",
        ),
    ] {
        let line = format!("pointsman {flags}");
        let told = Cli::try_parse_from(line.split(' ')).expect_err("out of range").to_string();
        assert!(told.contains(&format!("for '{flag}'")) && told.contains(range), "{told}");
    }
}

#[test]
fn a_malformed_request_names_its_fields() {
    let invalid = crate::api::convert::Invalid::field("model", "must not be empty");
    let fault = Fault::status(&crate::api::status::invalid(&invalid));
    let expected = "error: the service refused the request as malformed\n  `model` must not be empty\n\
                    hint: mend the fields named above";
    assert_eq!(fault.to_string(), expected);
}

#[test]
fn a_status_without_a_message_is_told_by_its_code() {
    let told = Fault::status(&tonic::Status::unimplemented("")).to_string();
    assert!(told.starts_with("error: Operation is not implemented or not supported\nhint: "), "{told}");
}
