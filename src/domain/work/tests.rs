use super::work;

#[test]
fn one_token_without_context_is_one() {
    assert!((work(1, 0) - 1.0).abs() < 1e-4);
    assert_eq!(work(0, 5000), 0.0);
}

#[test]
fn a_prompt_in_two_pieces_is_as_much_work_as_in_one() {
    let pieces = work(3000, 0) + work(5000, 3000);
    assert!((pieces - work(8000, 0)).abs() < 1e-6);
}

#[test]
fn context_makes_tokens_dearer() {
    assert!(work(1000, 50_000) > 1.8 * work(1000, 0));
}

#[test]
fn the_longest_prompts_are_finite() {
    assert!(work(u32::MAX, u32::MAX).is_finite());
}
