use super::*;

fn talked(lines: &str) -> Vec<serde_json::Value> {
    let mut output = Vec::new();
    talk(Protocol::new(Policy::default()), &mut lines.as_bytes(), &mut output).expect("memory takes all");
    let text = String::from_utf8(output).expect("JSON is text");
    text.lines().map(|line| serde_json::from_str(line).expect("each reply is JSON")).collect()
}

#[test]
fn each_line_has_one_reply_and_empty_lines_have_none() {
    let replies = talked("{\"op\":\"stats\",\"t\":0}\n\n  \nnonsense\n{\"op\":\"stats\",\"t\":1}");
    assert_eq!(replies.len(), 3);
    assert!(replies.iter().all(|reply| reply["ok"] == false), "{replies:?}");
}

#[test]
fn a_line_past_the_bound_is_refused_and_the_next_one_is_read() {
    let long = "x".repeat(Protocol::LINE_BYTES_MAX + 5);
    let replies = talked(&format!("{long}\n{{\"op\":\"open\",\"t\":0,\"nodes\":[{{\"id\":\"a\"}}]}}\n"));
    assert_eq!(replies.len(), 2);
    assert_eq!(replies[0]["error"], "the line is longer than 4194304 bytes");
    assert_eq!(replies[1]["ok"], true);
}

#[test]
fn bytes_that_are_no_text_are_refused_like_any_other_line() {
    let mut output = Vec::new();
    let mut input: &[u8] = b"\xff\xfe\n{}\n";
    talk(Protocol::new(Policy::default()), &mut input, &mut output).expect("memory takes all");
    assert_eq!(String::from_utf8_lossy(&output).lines().count(), 2);
}

#[test]
fn a_policy_is_known_by_its_name_and_a_slip_gets_a_hint() {
    assert_eq!(balance("overlap_cost"), Ok(Balance::OverlapCost));
    assert_eq!(balance("overlap_csot"), Err("did you mean `overlap_cost`?".to_owned()));
}
