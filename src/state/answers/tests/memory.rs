//! Is the bound in bytes the truth?

use super::*;

#[test]
fn the_bound_in_bytes_holds_and_evictions_are_counted() {
    let bytes_max = 1 << 20;
    let answers = Answers::new(Digester::with_secret(7), bytes_max);
    for i in 0..5_000 {
        store(&answers, &question(&i.to_string()), &inline(&[b'x'; 1_000]), at(0));
    }
    answers.sweep(at(0));
    let stats = answers.stats();
    assert!(stats.bytes <= bytes_max && stats.bytes > bytes_max / 2, "{stats:?}");
    assert_eq!(stats.evicted + stats.entries, stats.stored);
}

#[test]
fn with_no_room_nothing_is_kept_and_nothing_breaks() {
    let answers = Answers::new(Digester::with_secret(7), 0);
    store(&answers, &question("q"), &reference("r"), at(0));
    answers.sweep(at(0));
    assert_eq!(answers.lookup(&question("q"), at(0)), Lookup::Miss);
    assert_eq!(answers.stats().bytes, 0);
}

/// Run it in release: `cargo test --release --lib a_million -- --ignored --nocapture`.
#[test]
#[ignore = "measures this machine's memory: run it alone"]
fn a_million_references_take_little_memory() {
    const COUNT: u64 = 1_000_000;
    // About full, as it is in service: how much moka takes to tell what is popular depends on what there is room for.
    let answers = Answers::new(Digester::with_secret(7), 400 * COUNT);
    let before = resident_bytes();
    for i in 0..COUNT {
        store(&answers, &question(&i.to_string()), &reference(&format!("{i:032}")), at(0));
    }
    answers.sweep(at(0));
    let each = (resident_bytes() - before) / COUNT;
    let stats = answers.stats();
    println!("resident bytes an answer: {each}; weighed: {}", stats.bytes / stats.entries);
    assert_eq!(stats.entries, COUNT);
    assert!(each <= 400, "{each} bytes");
}

fn resident_bytes() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("Linux");
    let pages = statm.split(' ').nth(1).expect("the second is resident");
    pages.parse::<u64>().expect("a number") * 4096
}
