use super::*;

#[test]
fn a_log_tells_nothing_of_an_answer() {
    let inline = AnswerBody::Inline(Arc::new(InlineAnswer {
        content_type: ContentType::parse("text/plain").expect("a media type"),
        bytes: Box::from(*b"secret"),
    }));
    assert_eq!(format!("{inline:?}"), "Inline(text/plain, 6 bytes)");
    assert_eq!(format!("{:?}", AnswerBody::Reference("secret".into())), "Reference(6 bytes)");
}

#[test]
fn a_media_type_is_short_and_printable() {
    assert_eq!(ContentType::parse(""), Err(NameError::Empty));
    assert_eq!(ContentType::parse(&"x".repeat(129)), Err(NameError::TooLong(128)));
    assert_eq!(ContentType::parse("text/plain\r\nX: y"), Err(NameError::Control));
}

#[test]
fn a_refusal_says_the_bound() {
    let refusal = StoreRefusal::BodyTooLong { bytes: 70_000, bytes_max: 65_536 };
    assert!(refusal.to_string().contains("70000") && refusal.to_string().contains("65536"));
}
