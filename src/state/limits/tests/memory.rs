//! What a key costs. Ignored: it measures the process, so nothing may run beside it.
//!
//! `cargo test --release --lib limits::tests::memory -- --ignored --nocapture`

use super::*;

const KEYS: usize = 1_000_000;
const BYTES_MAX: usize = 100;

#[test]
#[ignore = "measures the memory of the whole process"]
fn a_key_costs_at_most_100_bytes() {
    let (limits, policy) =
        (Limits::new(Digester::with_secret(3)), policy([rule("one", Per::User, requests(0.001, 1))]));
    let before = resident();
    let mut worst = 0;
    for number in 1..=KEYS {
        limits
            .admit_request(&of_user(&number.to_string()), &policy, at(0))
            .expect("a key of its own")
            .0
            .len();
        if number % 10_000 == 0 {
            let bytes = (resident() - before) / number;
            if number >= KEYS / 10 {
                worst = worst.max(bytes);
            }
        }
    }
    let each = (resident() - before) / KEYS;
    let took = || {
        let start = std::time::Instant::now();
        limits.sweep(at(0));
        start.elapsed()
    };
    eprintln!(
        "{each} bytes a key of {KEYS}, {worst} at worst from a tenth of them on; a sweep takes {:?}",
        took()
    );
    assert!(worst <= BYTES_MAX);
}

/// Bytes of memory that the process has.
fn resident() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").expect("this is Linux");
    pages.split(' ').nth(1).and_then(|pages| pages.parse::<usize>().ok()).expect("the second number") * 4096
}
