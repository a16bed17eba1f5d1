use super::*;

#[test]
fn a_reference_of_any_length_comes_back_as_it_was() {
    for length in [0, 1, 37, 38, 39, 1024] {
        let reference = AnswerBody::Reference("é".repeat(length / 2).into());
        assert_eq!(Body::from(&reference).unpack(), reference);
        let reference = AnswerBody::Reference("x".repeat(length).into());
        assert_eq!(Body::from(&reference).unpack(), reference, "{length} bytes");
    }
}

#[test]
fn only_short_ones_lie_in_the_entry() {
    let body = |length| Body::from(&AnswerBody::Reference("x".repeat(length).into()));
    assert!(matches!(body(38), Body::Short(_)));
    assert!(matches!(body(39), Body::Long(_)));
}
