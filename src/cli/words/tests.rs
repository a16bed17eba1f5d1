use super::*;

#[test]
fn what_would_play_with_the_terminal_is_written_out() {
    assert_eq!(printable("a\u{1b}[31m\nb 北"), "a\\u{1b}[31m\\nb 北");
}
