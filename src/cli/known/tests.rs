use super::*;

fn told(body: Body) -> String {
    lines(&answer(body)).join("\n")
}

fn answer(body: Body) -> CachedAnswer {
    let age = Some(prost_types::Duration { seconds: 3661, nanos: 5 });
    CachedAnswer { body: Some(body), age, ..CachedAnswer::default() }
}

#[test]
fn a_short_text_is_shown_set_in() {
    let answer = CachedAnswer {
        content_type: "text/plain".into(),
        coalesced: true,
        ..answer(Body::Inline("Paris.\r\n\n北京\n".into()))
    };
    let expected = "known answer: 16 bytes
  fresh        stored 1h 1m 1s ago
  coalesced    an identical request was answered meanwhile
  type         text/plain
  answer
    Paris.

    北京";
    assert_eq!(lines(&answer).join("\n"), expected);
}

#[test]
fn a_reference_is_shown_with_its_freshness() {
    let stale = CachedAnswer { stale: true, ..answer(Body::Reference("s3://a/b".into())) };
    assert_eq!(lines(&stale).join("\n"), "known answer: s3://a/b\n  stale        stored 1h 1m 1s ago");
}

#[test]
fn what_is_no_short_text_is_counted() {
    for bytes in [vec![0xff, 0xfe], b"\x1b[2J".to_vec(), b"good\rbad".to_vec(), vec![b'a'; 2049], Vec::new()]
    {
        let told = told(Body::Inline(bytes.clone()));
        let expected = format!("known answer: {} bytes\n  fresh        stored 1h 1m 1s ago", bytes.len());
        assert_eq!(told, expected);
    }
    assert!(told(Body::Inline(vec![b'a'; 2048])).contains("\n  answer\n    aaa"));
}

#[test]
fn a_reference_cannot_write_lines_of_its_own() {
    assert!(told(Body::Reference("a\nb".into())).starts_with("known answer: a\\nb\n"));
}
