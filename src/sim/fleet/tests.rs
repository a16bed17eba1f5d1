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
