//! Why a decision came out as it did: what limits, known answers and the pool made of the request, and for each node
//! why it was dropped or what it scored.

use super::{
    output,
    words::{filter_name, printable, rung_name, unit_name},
};
use crate::proto::{
    AnswerVerdict, Drop, Explanation, LimitVerdict, NodeVerdict, PoolVerdict, Score, node_verdict::Verdict,
};

/// The whole explanation: verdicts on the request, those on the nodes, and what they were made by.
pub fn told(explanation: &Explanation) -> String {
    let mut parts: Vec<_> = explanation.limits.iter().map(limit_line).collect();
    parts.extend(answer_line(explanation.answer()));
    parts.push(pool_line(explanation.pool.as_ref()));
    parts.extend(scores(explanation));
    parts.extend(explanation.nodes.iter().filter_map(drop_line));
    let class = explanation.node_class().as_str_name().trim_start_matches("NODE_CLASS_").to_lowercase();
    parts.push(format!(
        "balance {}, class {class}, table revision {}",
        explanation.balance, explanation.topology_revision
    ));
    parts.join("\n")
}

fn limit_line(verdict: &LimitVerdict) -> String {
    let LimitVerdict { rule, needed, remaining, limit, .. } = verdict;
    let unit = unit_name(verdict.unit());
    let admitted = match (verdict.admitted, verdict.shadow) {
        (true, false) => "admitted",
        (false, false) => "refused",
        (true, true) => "admitted (shadow)",
        (false, true) => "would be refused (shadow: counted and not enforced)",
    };
    format!("limit   {rule}: {needed} {unit} needed, {remaining} of {limit} left: {admitted}")
}

fn answer_line(verdict: AnswerVerdict) -> Option<String> {
    let told = match verdict {
        AnswerVerdict::Unspecified => return None,
        AnswerVerdict::Fresh => "known, and fresh",
        AnswerVerdict::Stale => "known, but it has outlived its freshness",
        AnswerVerdict::Pending => "not known yet: an identical request is on its way",
        AnswerVerdict::Miss => "not known",
    };
    Some(format!("answer  {told}"))
}

fn pool_line(pool: Option<&PoolVerdict>) -> String {
    let Some(pool) = pool else {
        return "pool    no live node serves this type and model".to_owned();
    };
    let nodes = if pool.node_count == 1 { "node" } else { "nodes" };
    let (load, count, rung) = (pool.load, pool.node_count, rung_name(pool.rung()));
    format!("pool    load {load:.1} on {count} live {nodes}, rung {rung}")
}

/// The candidates as a table, the picked node first; `None` if there are none.
fn scores(explanation: &Explanation) -> Option<String> {
    let mut nodes: Vec<_> = explanation.nodes.iter().filter_map(scored).collect();
    nodes.sort_by_key(|(_, score)| score.rank);
    if nodes.iter().any(|(_, score)| score.cost_terms.is_some()) {
        return Some(costs(&nodes));
    }
    let headers = ["rank", "node", "cost", "load", "= cpu", "+ memory", "+ queue", "+ failures", "in flight"];
    let mut table = output::table(headers, 2);
    for (node, score) in &nodes {
        table.add_row(score_row(node, score));
    }
    (!nodes.is_empty()).then(|| table.to_string())
}

/// The same where expected costs were compared, in milliseconds.
fn costs(nodes: &[(&str, &Score)]) -> String {
    let headers = [
        "rank",
        "node",
        "cost ms",
        "= wait",
        "+ own",
        "+ price",
        "+ batching",
        "+ drag",
        "+ eviction",
        "+ adapter",
        "+ lateness",
        "cached",
        "in flight",
    ];
    let mut table = output::table(headers, 2);
    for (node, score) in nodes {
        table.add_row(cost_row(node, score));
    }
    table.to_string()
}

fn cost_row(node: &str, score: &Score) -> [String; 13] {
    let ms = |value: f64| format!("{value:.1}");
    let terms = score.cost_terms.unwrap_or_default();
    [
        score.rank.to_string(),
        node.to_owned(),
        ms(score.cost),
        ms(terms.wait_ms),
        ms(terms.own_ms),
        ms(terms.price_ms),
        ms(terms.batching_ms),
        ms(terms.drag_ms),
        ms(terms.eviction_ms),
        ms(terms.adapter_ms),
        ms(terms.lateness_ms),
        score.expected_cached_tokens.map_or_else(String::new, |tokens| tokens.to_string()),
        score.in_flight_request_count.to_string(),
    ]
}

fn scored(node: &NodeVerdict) -> Option<(&str, &Score)> {
    match &node.verdict {
        Some(Verdict::Score(score)) => Some((&node.node_id, score)),
        _ => None,
    }
}

fn score_row(node: &str, score: &Score) -> [String; 9] {
    let number = |value: f64| format!("{value:.1}");
    [
        score.rank.to_string(),
        node.to_owned(),
        format!("{:.3}", score.cost),
        number(score.load),
        number(score.cpu_term),
        number(score.memory_term),
        number(score.queue_term),
        number(score.failure_term),
        score.in_flight_request_count.to_string(),
    ]
}

/// Why a node was no candidate; the message says more than the filter's name, if there is one.
fn drop_line(node: &NodeVerdict) -> Option<String> {
    let Some(Verdict::Drop(drop)) = &node.verdict else { return None };
    let id = &node.node_id;
    let filter = filter_name(drop.filter());
    Some(match drop {
        Drop { message, .. } if message.is_empty() => format!("dropped {id} ({filter})"),
        Drop { message, .. } => format!("dropped {id} ({filter}): {}", printable(message)),
    })
}

#[cfg(test)]
mod tests;
