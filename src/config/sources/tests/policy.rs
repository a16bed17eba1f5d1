//! What the sections on limits, degradation and answers turn into.

use super::{loaded, refused, uncommented};
use crate::domain::{
    degradation::Thresholds,
    id::{ModelName, TenantId},
    limit::{Mode, Per, Unit},
    node::RequestType,
};

#[test]
fn a_list_of_limits_replaces_the_default_ones() {
    assert_eq!(loaded("policy: {limits: {rules: []}}").policy.limits.rules[..], []);
    let limits = loaded(&uncommented()).policy.limits;
    let names: Vec<_> = limits.rules.iter().map(|rule| rule.name.as_str()).collect();
    assert_eq!(names, ["premium-requests", "free-requests", "acme-tokens"]);
    let rule = &limits.rules[2];
    assert_eq!((rule.per, rule.mode, rule.tier), (Per::Model, Mode::Enforced, None));
    assert_eq!(rule.tenant.as_ref().map(TenantId::as_str), Some("acme"));
    assert_eq!(rule.model.as_ref().map(ModelName::as_str), Some("gpt-large"));
    let shadow = "policy: {limits: {rules: [{name: a, per: tenant, requests_per_second: 1, shadow: true}]}}";
    assert_eq!(loaded(shadow).policy.limits.rules[0].mode, Mode::Shadow);
}

#[test]
fn without_a_burst_a_limit_lets_through_at_once_what_a_second_or_a_minute_allows() {
    let burst = |rate: &str| {
        let yaml = format!("policy: {{limits: {{rules: [{{name: a, per: user, {rate}}}]}}}}");
        let quota = loaded(&yaml).policy.limits.rules[0].quota;
        (quota.unit(), quota.burst().get())
    };
    assert_eq!(burst("requests_per_second: 2.9"), (Unit::Requests, 2));
    assert_eq!(burst("requests_per_second: 0.001"), (Unit::Requests, 1));
    assert_eq!(burst("requests_per_second: 1000000"), (Unit::Requests, 1_000_000));
    assert_eq!(burst("tokens_per_minute: 600"), (Unit::Tokens, 600));
    assert_eq!(burst("tokens_per_minute: 600, burst: 50"), (Unit::Tokens, 50));
}

#[test]
fn a_pool_inherits_the_thresholds_that_it_does_not_give() {
    let yaml = "policy:\n  degradation:\n    busy: {enter: 81, leave: 71}\n    pools: [{model: large, busy: \
                {enter: 75}}, {type: text, overloaded: {enter: 90, leave: 80}}]\n";
    let degradation = loaded(yaml).policy.degradation;
    let told = |thresholds: Thresholds| {
        let Thresholds { busy, overloaded } = thresholds;
        [busy.enter, busy.leave, overloaded.enter, overloaded.leave]
    };
    assert_eq!(told(degradation.thresholds), [81.0, 71.0, 95.0, 85.0]);
    assert_eq!(told(degradation.pools[0].thresholds), [75.0, 71.0, 95.0, 85.0]);
    assert_eq!(told(degradation.pools[1].thresholds), [81.0, 71.0, 90.0, 80.0]);
    let pool = &loaded(&uncommented()).policy.degradation.pools[0];
    assert_eq!(pool.request_type, Some(RequestType::Text));
    assert_eq!(pool.fallback_model.as_ref().map(ModelName::as_str), Some("gpt-small"));
    assert_eq!(pool.message.as_deref(), Some("gpt-large is busy, please wait"));
}

#[test]
fn each_time_to_live_is_that_of_its_key() {
    let yaml = "policy: {answers: {ttl: {text: 1s, image: 2s, audio: 3s, embedding: 4s, video: 5s, rerank: 6s, \
                fact: 7s, live: 8s}, ttl_max: 8s}}";
    let answers = loaded(yaml).policy.answers;
    let usual = RequestType::NAMES.map(|(kind, name)| (name, answers.usual.of(kind).as_secs()));
    let expected = [("text", 1), ("image", 2), ("audio", 3), ("embedding", 4), ("video", 5), ("rerank", 6)];
    assert_eq!(usual, expected);
    assert_eq!((answers.fact.as_secs(), answers.live.as_secs(), answers.ttl_max.as_secs()), (7, 8, 8));
}

#[test]
fn the_largest_answer_leaves_room_in_a_message() {
    let fits = "server: {answer_bytes_max: 65536}\npolicy: {answers: {body_bytes_max: 61440}}\n";
    assert_eq!(loaded(fits).policy.answers.body_bytes_max, 61_440);
    assert!(refused(&fits.replace("61440", "61441"), &[]).contains("lower it to 61440"));
    let none = "server: {answer_bytes_max: 1024}\npolicy: {answers: {body_bytes_max: 0}}\n";
    assert_eq!(loaded(none).policy.answers.body_bytes_max, 0);
}
