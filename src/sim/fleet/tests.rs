use super::*;

#[test]
fn a_file_may_mix_hardware_and_memory() {
    let fleet =
        parse("- {hardware: h100x4-70b, count: 2}\n- {hardware: a100x4-70b, count: 1, kv_tokens: 5000}\n");
    let fleet = fleet.expect("it is well-formed");
    assert_eq!(fleet.iter().map(|node| node.kv_tokens).collect::<Vec<_>>(), [412_000, 412_000, 5000]);
    assert_eq!(fleet[2].name, "a100x4-70b");
}

#[test]
fn what_is_wrong_is_named() {
    for (text, names) in [
        ("- {hardware: h200, count: 2}", "`h200` is no known hardware"),
        ("- {hardware: a100-8b, count: 0}", "1 to 1024"),
        ("- {hardware: a100-8b, count: 1025}", "1 to 1024"),
        ("- {hardware: a100-8b, count: 1, kv_tokens: 100}", "`kv_tokens`"),
        ("- {hardware: a100-8b, count: 1, speed: 2}", "speed"),
        ("hardware", "cannot be read"),
    ] {
        let told = parse(text).expect_err(text).to_string();
        assert!(told.contains(names), "{told}");
    }
}

#[test]
fn a_node_may_be_what_was_measured_of_it() {
    let fleet =
        parse("- hardware: {step_ms: [[1, 10], [101, 110.0]], kv_tokens: 4096, sequences: 4}\n  count: 2\n");
    let node = fleet.expect("it is well-formed")[1];
    assert_eq!((node.step_tokens(), node.sequences_max(), node.kv_tokens), (101, 4, 4096));
    assert_eq!(node.step_ms(51, 0), 60.126);
    // Two whole steps: 101 tokens and one.
    assert_eq!(node.prefill_ms(102, 0), 110.0 + 10.0 + 2.0 * 0.13);
}

#[test]
fn what_was_measured_must_make_a_node() {
    for (measured, names) in [
        ("step_ms: [[1, 10]], kv_tokens: 4096", "2 to 6 points"),
        ("step_ms: [[1, 10], [1, 11]], kv_tokens: 4096", "rises"),
        ("step_ms: [[1, 10], [2, 9]], kv_tokens: 4096", "rises"),
        ("step_ms: [[1, 0], [2, 9]], kv_tokens: 4096", "rises"),
        ("step_ms: [[1, 1], [2, 9]], attention: -1, kv_tokens: 4096", "rises"),
        ("step_ms: [[1, 1], [2, .inf]], kv_tokens: 4096", "non-finite"),
        ("step_ms: [[1, 1], [2, 9]], kv_tokens: 4096, sequences: 0", "`sequences`"),
        ("step_ms: [[1, 1], [2000000, 9]], kv_tokens: 4096", "1000000"),
        ("step_ms: [[1, 1], [2, 9]], kv_tokens: 1", "`kv_tokens`"),
    ] {
        let told =
            parse(&format!("- {{hardware: {{{measured}}}, count: 1}}")).expect_err(measured).to_string();
        assert!(told.contains(names), "{measured}: {told}");
    }
}
