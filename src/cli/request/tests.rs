use clap::Parser;

use super::*;
use crate::proto::pick_node_request::Question;

#[derive(Debug, Parser)]
struct Line {
    #[command(flatten)]
    request: RequestFlags,
}

fn sent(flags: &str) -> PickNodeRequest {
    let line = format!("pick --type text --model m{flags}");
    let line = Line::try_parse_from(line.split(' ')).expect("a good line");
    line.request.to_proto().expect("nothing to read")
}

#[test]
fn what_shapes_the_answer_is_sent() {
    let sent =
        sent(" --max-output-tokens 0 --fingerprint 000102030405060708090a0b0c0d0e0f --answer-use refresh");
    assert_eq!(sent.max_output_tokens, Some(0));
    assert_eq!(sent.question, Some(Question::Fingerprint((0..16).collect())));
    assert_eq!(sent.answer_use(), proto::AnswerUse::Refresh);
}

#[test]
fn without_flags_no_answer_is_looked_for() {
    let sent = sent("");
    assert_eq!((sent.max_output_tokens, sent.question.clone()), (None, None));
    assert_eq!(sent.answer_use(), proto::AnswerUse::Share);
}

#[test]
fn how_the_prompt_begins_is_sent() {
    let sent = sent(
        " --prefix-blocks 1,18446744073709551615 --prefix-blocks 0 --session s --adapter x --first-token-target 250ms",
    );
    assert_eq!(sent.prefix_blocks, [1, u64::MAX, 0]);
    assert_eq!((sent.session.as_str(), sent.adapter.as_str()), ("s", "x"));
    assert_eq!(sent.first_token_target, Some(prost_types::Duration { seconds: 0, nanos: 250_000_000 }));
}

#[test]
fn without_flags_nobody_knows_how_the_prompt_begins() {
    let sent = sent("");
    assert_eq!((sent.prefix_blocks.len(), sent.session.as_str(), sent.adapter.as_str()), (0, "", ""));
    assert_eq!(sent.first_token_target, None);
}

#[test]
fn a_hash_that_is_none_is_refused() {
    for hashes in ["1,x", "-1", "18446744073709551616", "1,,2"] {
        let line = ["pick", "--type", "text", "--model", "m", "--prefix-blocks", hashes];
        assert!(Line::try_parse_from(line).is_err(), "{hashes}");
    }
}

#[test]
fn each_use_of_answers_has_its_word() {
    assert_eq!(sent(" --answer-use share").answer_use(), proto::AnswerUse::Share);
    assert_eq!(sent(" --answer-use read-only").answer_use(), proto::AnswerUse::ReadOnly);
}
