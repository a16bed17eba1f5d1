use proptest::prelude::*;

use super::*;

proptest! {
    #[test]
    fn a_name_is_any_short_text_that_can_be_printed(text in prop_oneof![".{0,40}", "[\\x00-\\xff]{0,6}", "[ -~]{120,140}"]) {
        let is_good =
            !text.is_empty() && text.len() <= UserId::MAX_BYTES && !text.chars().any(char::is_control);
        prop_assert_eq!(UserId::parse(&text).is_ok(), is_good);
    }
}

#[test]
fn what_garbles_a_log_is_no_name() {
    for text in ["\u{7f}", "a\nb", "\u{85}", "\u{0}", "ü\u{9f}"] {
        assert_eq!(ModelName::parse(text), Err(NameError::Control), "{text:?}");
    }
    assert!(ModelName::parse("müller/größe-7b ~").is_ok());
}
