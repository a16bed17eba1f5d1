//! What a reload keeps.

use super::*;

#[test]
fn a_rule_that_a_reload_leaves_alone_keeps_what_was_counted() {
    let limits = Limits::default();
    let users = rule("users", Per::User, requests(1.0, 3));
    let old = policy([users.clone(), rule("gone", Per::Tenant, requests(1.0, 50))]);
    assert_eq!(admitted(&limits, &request(), &old, 9, at(0)), 3);
    let new = policy([rule("new", Per::Tenant, requests(1.0, 50)), users]);
    assert_eq!(admitted(&limits, &request(), &new, 9, at(0)), 0);
    assert_eq!(stats(&limits)[1], (3, 6 + 9, 0));
}

#[test]
fn a_changed_quota_starts_afresh() {
    for changed in [
        rule("users", Per::User, requests(1.0, 4)),
        rule("users", Per::User, requests(1.5, 3)),
        rule("users", Per::Tenant, requests(1.0, 3)),
        rule("others", Per::User, requests(1.0, 3)),
    ] {
        // Of a key of its own, and of the shared one.
        for keys_max in [1_000, 0] {
            let limits = Limits::default();
            let old = LimitPolicy { keys_max, ..policy([rule("users", Per::User, requests(1.0, 3))]) };
            assert_eq!(admitted(&limits, &request(), &old, 9, at(0)), 3);
            let new = LimitPolicy { keys_max, ..policy([changed.clone()]) };
            let burst = changed.quota.burst().get() as usize;
            assert_eq!(admitted(&limits, &request(), &new, 9, at(0)), burst);
        }
    }
}

#[test]
fn a_limit_that_was_tried_in_the_shadow_is_enforced_with_what_it_counted() {
    let limits = Limits::default();
    let enforced = rule("users", Per::User, requests(1.0, 3));
    let shadow = LimitRule { mode: Mode::Shadow, ..enforced.clone() };
    assert_eq!(admitted(&limits, &request(), &policy([shadow]), 9, at(0)), 9);
    assert_eq!(admitted(&limits, &request(), &policy([enforced]), 9, at(0)), 0);
}

#[test]
fn a_reservation_survives_the_end_of_its_rule() {
    let limits = Limits::default();
    let old = policy([rule("tokens", Per::User, tokens(100))]);
    let reserved = limits.reserve_tokens(&request(), 80, &old, at(0)).expect("fits");
    limits.settle(reserved, 30, &policy([]), at(0));
    assert_eq!(limits.peek(&request(), 0, &old, at(0))[0].remaining, 70);
}
