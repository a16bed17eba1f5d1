//! Why each node was dropped or what it scored, as a table.

use super::output;
use crate::proto::{Explanation, Filter, NodeVerdict, Score, node_verdict::Verdict};

/// The verdicts as a table, the picked node first, those that were dropped last.
pub fn table(explanation: &Explanation) -> String {
    let mut nodes: Vec<_> = explanation.nodes.iter().collect();
    nodes.sort_by_key(|node| rank(node));
    let headers = ["rank", "node", "cost", "load", "= cpu", "+ memory", "+ queue", "+ failures", "in flight"];
    let mut table = output::table(headers, 2);
    for node in nodes {
        match &node.verdict {
            Some(Verdict::Score(score)) => table.add_row(score_row(&node.node_id, score)),
            Some(Verdict::Drop(drop)) => {
                let why = format!("{} ({})", node.node_id, filter_name(drop.filter()));
                table.add_row(["–".to_owned(), why])
            }
            None => continue,
        };
    }
    let class = explanation.node_class().as_str_name().trim_start_matches("NODE_CLASS_").to_lowercase();
    format!(
        "{table}\nbalance {}, class {class}, table revision {}",
        explanation.balance, explanation.topology_revision
    )
}

fn rank(node: &NodeVerdict) -> i32 {
    match &node.verdict {
        Some(Verdict::Score(score)) => score.rank,
        _ => i32::MAX,
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

/// A filter, for people.
pub fn filter_name(filter: Filter) -> &'static str {
    match filter {
        Filter::Unspecified => "unknown filter",
        Filter::RequestType => "request type",
        Filter::Model => "model",
        Filter::ModelVersion => "model version",
        Filter::NodeClass => "node class",
        Filter::Excluded => "excluded by the caller",
        Filter::Drain => "draining",
        Filter::Breaker => "breaker",
        Filter::Freshness => "no sign of life",
    }
}
