use std::num::NonZeroU32;

use super::needing_restart;
use crate::config::Config;

#[test]
fn a_reload_names_what_it_cannot_put_into_force() {
    let old = Config::default();
    assert!(needing_restart(&old, &old).is_empty());

    let mut reloads = old.clone();
    reloads.policy.limits.rules = [].into();
    reloads.policy.degradation.thresholds.busy.enter = 90.0;
    reloads.policy.prefixes.node_blocks = NonZeroU32::MIN;
    reloads.policy.cost.drag = 1.0;
    reloads.policy.answers.body_bytes_max = 0;
    assert!(needing_restart(&reloads, &old).is_empty(), "the rest of the policy reloads");

    let mut new = reloads;
    new.policy.answers.bytes_max = 0;
    new.server.streams_max += 1;
    new.log.filter = "debug".into();
    let restart = ["server", "log", "policy.answers.bytes_max"];
    assert_eq!(needing_restart(&new, &old), restart);
}
