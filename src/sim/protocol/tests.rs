use serde_json::{Value, json};

use super::*;
use crate::domain::policy::{CostPolicy, Refusal};

/// A conversation that has been opened with two nodes, `a` and 7.
fn opened() -> Protocol {
    let cost = CostPolicy { refuse_late: Refusal::Late, ..CostPolicy::default() };
    let mut protocol = Protocol::new(Policy { cost, ..Policy::default() });
    let nodes = json!([
        { "id": "a", "kv_tokens": 100_000, "block_tokens": 512, "zone": "z" },
        { "id": 7, "kv_tokens": 100_000, "block_tokens": 512 },
    ]);
    let open = json!({ "op": "open", "t": 0, "seed": 5, "replica": 0, "nodes": nodes });
    assert_eq!(say(&mut protocol, &open), json!({ "ok": true }));
    protocol
}

fn say(protocol: &mut Protocol, line: &Value) -> Value {
    serde_json::from_str(&protocol.answer(&line.to_string())).expect("each reply is JSON")
}

fn report(t: u64, node: &Value, work: f64) -> Value {
    json!({ "op": "report", "t": t, "node": node, "taken_at": t, "seq": t + 1, "waiting": 1, "running": 2,
        "queued_tokens": 10, "net_work": work, "kv_active": 1000, "busy": 0.5, "speed": 10.0, "received_ticket": 0 })
}

fn pick(t: u64, request: u64) -> Value {
    json!({ "op": "pick", "t": t, "request": request, "tenant": 1, "tier": "interactive", "deadline_ms": 1000.0,
        "input_tokens": 2048, "blocks": [1, 2, 3, 4], "exclude": [] })
}

#[test]
fn a_pick_goes_to_the_node_with_less_before_it_and_names_it_as_it_came() {
    let mut protocol = opened();
    assert_eq!(say(&mut protocol, &report(1000, &json!("a"), 50_000.0)), json!({ "ok": true }));
    assert_eq!(say(&mut protocol, &report(1000, &json!(7), 0.0)), json!({ "ok": true }));
    let reply = say(&mut protocol, &pick(2000, 1));
    assert_eq!(reply["node"], 7);
    assert_eq!((&reply["expected_hit_tokens"], &reply["policy"]), (&json!(0), &json!("expected_cost")));
    assert!(reply["ticket"].as_u64().is_some_and(|ticket| ticket > 0));
}

#[test]
fn what_was_placed_is_expected_there_and_draws_what_begins_alike() {
    let mut protocol = opened();
    for node in [json!("a"), json!(7)] {
        say(&mut protocol, &report(1000, &node, 0.0));
    }
    let first = say(&mut protocol, &pick(2000, 1));
    say(
        &mut protocol,
        &json!({ "op": "first_token", "t": 200_000, "request": 1, "ttft_ms": 198.0, "cached_tokens": 0 }),
    );
    say(&mut protocol, &json!({ "op": "done", "t": 300_000, "request": 1, "output_tokens": 9 }));
    let second = say(&mut protocol, &pick(400_000, 2));
    assert_eq!(second["node"], first["node"]);
    assert_eq!(second["expected_hit_tokens"], 2047, "all but the last token");
}

#[test]
fn a_request_that_fails_goes_elsewhere() {
    let mut protocol = opened();
    let first = say(&mut protocol, &pick(2000, 1));
    assert_eq!(
        say(&mut protocol, &json!({ "op": "failed", "t": 3000, "request": 1, "reason": "refused" }))["ok"],
        true
    );
    let mut again = pick(53_000, 1);
    again["exclude"] = json!([first["node"]]);
    assert_ne!(say(&mut protocol, &again)["node"], first["node"]);
}

#[test]
fn a_request_that_nobody_could_serve_in_time_is_refused_on_a_busy_fleet() {
    let mut protocol = opened();
    let mut refused = Value::Null;
    for step in 0..200 {
        let t = 1000 + step * 100_000;
        for node in [json!("a"), json!(7)] {
            say(&mut protocol, &report(t, &node, 200_000.0));
        }
        refused = say(&mut protocol, &pick(t, step));
    }
    assert_eq!((&refused["refuse"], &refused["reason"]), (&json!(true), &json!("late")));
    assert!(refused["retry_after_ms"].as_f64().is_some_and(|delay| delay > 10_000.0), "{refused}");
}

#[test]
fn the_same_lines_get_the_same_replies() {
    let talk = || {
        let mut protocol = opened();
        let lines = (0..50).map(|step| pick(step * 1000, step));
        lines.map(|line| protocol.answer(&line.to_string())).collect::<Vec<_>>()
    };
    assert_eq!(talk(), talk());
}

#[test]
fn a_bad_line_names_its_field_and_changes_nothing() {
    let mut protocol = opened();
    let before = say(&mut protocol, &json!({ "op": "stats", "t": 5000 }));
    for (line, field) in [
        (json!({ "op": "pick", "t": 4000, "request": 1, "input_tokens": 5 }), "t"),
        (json!({ "op": "pick", "request": 1, "input_tokens": 5 }), "t"),
        (json!({ "op": "pick", "t": 6000, "input_tokens": 5 }), "request"),
        (json!({ "op": "pick", "t": 6000, "request": 1 }), "input_tokens"),
        (json!({ "op": "pick", "t": 6000, "request": 1, "input_tokens": -5 }), "input_tokens"),
        (json!({ "op": "pick", "t": 6000, "request": 1, "input_tokens": 5, "blocks": [1, -2] }), "blocks"),
        (json!({ "op": "pick", "t": 6000, "request": 1, "input_tokens": 5, "exclude": ["b"] }), "exclude"),
        (json!({ "op": "report", "t": 6000, "node": "b" }), "node"),
        (json!({ "op": "report", "t": 6000, "node": "a", "taken_at": 6001 }), "taken_at"),
        (json!({ "op": "report", "t": 6000, "node": "a", "busy": 1.5 }), "busy"),
        (json!({ "op": "report", "t": 6000, "node": "a", "net_work": -1 }), "net_work"),
        (json!({ "op": "done", "t": 6000, "request": 99 }), "request"),
        (json!({ "op": "fly", "t": 6000 }), "op"),
        (json!({ "t": 6000, "request": 1 }), "op"),
        (json!({ "op": "open", "t": 6000, "nodes": [] }), "nodes"),
        (json!({ "op": "open", "t": 6000, "nodes": [{ "id": "a" }, { "id": "a" }] }), "nodes[1].id"),
        (
            json!({ "op": "open", "t": 6000, "nodes": [{ "id": "a", "block_tokens": 0 }] }),
            "nodes[0].block_tokens",
        ),
    ] {
        let reply = say(&mut protocol, &line);
        assert_eq!((&reply["ok"], &reply["field"]), (&json!(false), &json!(field)), "{line} got {reply}");
    }
    assert_eq!(say(&mut protocol, &json!({ "op": "stats", "t": 5000 })), before);
}

#[test]
fn the_kind_may_stand_in_other_keys_or_around_the_fields() {
    for line in [
        json!({ "type": "stats", "t": 0 }),
        json!({ "kind": "stats", "t": 0 }),
        json!({ "msg": "stats", "t": 0 }),
        json!({ "stats": { "t": 0 } }),
    ] {
        assert_eq!(say(&mut opened(), &line)["nodes"], 2, "{line}");
    }
}

#[test]
fn opening_again_forgets_everything() {
    let mut protocol = opened();
    say(&mut protocol, &pick(2000, 1));
    say(&mut protocol, &json!({ "op": "open", "t": 0, "nodes": [{ "id": "x" }] }));
    let stats = say(&mut protocol, &json!({ "op": "stats", "t": 0 }));
    assert_eq!(
        (&stats["nodes"], &stats["ledger"], &stats["index_blocks"]),
        (&json!(1), &json!(0), &json!(0))
    );
}

#[test]
fn a_node_at_whose_speed_nothing_would_ever_come_breaks_nothing() {
    let mut protocol = opened();
    for node in [json!("a"), json!(7)] {
        let mut crawling = report(1000, &node, 1e12);
        crawling["speed"] = json!(1e-300);
        assert_eq!(say(&mut protocol, &crawling), json!({ "ok": true }));
    }
    let reply = say(&mut protocol, &pick(2000, 1));
    assert_eq!(
        (&reply["expected_ttft_ms"], &reply["policy"]),
        (&Value::Null, &json!("expected_cost")),
        "{reply}"
    );
}
