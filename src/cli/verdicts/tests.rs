use super::*;
use crate::proto::{self, CostTerms, Filter, LimitUnit, Rung};

fn dropped(filter: Filter, message: &str) -> Verdict {
    Verdict::Drop(Drop { filter: filter.into(), message: message.into() })
}

fn explanation(nodes: Vec<(&str, Verdict)>) -> Explanation {
    let verdict = |(id, verdict): (&str, _)| NodeVerdict { node_id: id.into(), verdict: Some(verdict) };
    Explanation {
        balance: "weighted_load".into(),
        node_class: proto::NodeClass::High.into(),
        topology_revision: 3,
        nodes: nodes.into_iter().map(verdict).collect(),
        ..Explanation::default()
    }
}

fn limit(rule: &str, admitted: Fits, mode: Mode) -> LimitVerdict {
    LimitVerdict {
        rule: rule.into(),
        unit: LimitUnit::Tokens.into(),
        limit: 1000,
        remaining: 12,
        needed: 300,
        admitted: matches!(admitted, Fits::Yes),
        shadow: matches!(mode, Mode::Shadow),
    }
}

#[derive(Clone, Copy)]
enum Fits {
    Yes,
    No,
}

#[derive(Clone, Copy)]
enum Mode {
    Enforced,
    Shadow,
}

#[test]
fn an_explanation_is_a_table_with_the_picked_node_first_and_the_dropped_below() {
    let score = |rank, load| Verdict::Score(Score { rank, load, cost: load, ..Score::default() });
    let told = told(&explanation(vec![
        ("a", score(1, 25.5)),
        ("b", dropped(Filter::Drain, "")),
        ("c", score(0, 21.4)),
        ("d", dropped(Filter::Model, "does not serve the model\u{1b}")),
    ]));
    let expected = "\
pool    no live node serves this type and model
┌──────┬──────┬────────┬──────┬───────┬──────────┬─────────┬────────────┬───────────┐
│ rank ┆ node ┆   cost ┆ load ┆ = cpu ┆ + memory ┆ + queue ┆ + failures ┆ in flight │
╞══════╪══════╪════════╪══════╪═══════╪══════════╪═════════╪════════════╪═══════════╡
│ 0    ┆ c    ┆ 21.400 ┆ 21.4 ┆   0.0 ┆      0.0 ┆     0.0 ┆        0.0 ┆         0 │
│ 1    ┆ a    ┆ 25.500 ┆ 25.5 ┆   0.0 ┆      0.0 ┆     0.0 ┆        0.0 ┆         0 │
└──────┴──────┴────────┴──────┴───────┴──────────┴─────────┴────────────┴───────────┘
dropped b (draining)
dropped d (model): does not serve the model\\u{1b}
balance weighted_load, class high, table revision 3";
    assert_eq!(told, expected);
}

#[test]
fn what_became_of_the_request_stands_above_the_nodes() {
    let told = told(&Explanation {
        limits: vec![
            limit("fits", Fits::Yes, Mode::Enforced),
            limit("full", Fits::No, Mode::Enforced),
            limit("tried", Fits::No, Mode::Shadow),
            limit("fine", Fits::Yes, Mode::Shadow),
        ],
        answer: AnswerVerdict::Pending.into(),
        pool: Some(PoolVerdict { load: 71.25, demand: 90.0, node_count: 3, rung: Rung::Busy.into() }),
        ..explanation(Vec::new())
    });
    let expected = "\
limit   fits: 300 tokens needed, 12 of 1000 left: admitted
limit   full: 300 tokens needed, 12 of 1000 left: refused
limit   tried: 300 tokens needed, 12 of 1000 left: would be refused (shadow: counted and not enforced)
limit   fine: 300 tokens needed, 12 of 1000 left: admitted (shadow)
answer  not known yet: an identical request is on its way
pool    load 71.2 on 3 live nodes, rung busy
balance weighted_load, class high, table revision 3";
    assert_eq!(told, expected);
}

#[test]
fn each_answer_verdict_but_the_unasked_is_told() {
    let at = |verdict: AnswerVerdict| {
        let told = told(&Explanation { answer: verdict.into(), ..explanation(Vec::new()) });
        told.lines().next().map(str::to_owned)
    };
    let line = |text: &str| Some(text.to_owned());
    assert_eq!(at(AnswerVerdict::Unspecified), line("pool    no live node serves this type and model"));
    assert_eq!(at(AnswerVerdict::Fresh), line("answer  known, and fresh"));
    assert_eq!(at(AnswerVerdict::Stale), line("answer  known, but it has outlived its freshness"));
    assert_eq!(at(AnswerVerdict::Miss), line("answer  not known"));
}

#[test]
fn expected_costs_are_told_term_by_term() {
    let terms = CostTerms { wait_ms: 120.0, own_ms: 80.5, eviction_ms: 3.25, ..CostTerms::default() };
    let score = |rank, cost| {
        let cost_terms = Some(terms);
        Verdict::Score(Score {
            rank,
            cost,
            cost_terms,
            expected_cached_tokens: Some(512),
            ..Score::default()
        })
    };
    let told = told(&explanation(vec![("a", score(0, 203.75))]));
    let row = told.lines().find(|line| line.contains("│ 0 ")).expect("the node has a row");
    let cells: Vec<_> = row.split(['│', '┆']).map(str::trim).filter(|cell| !cell.is_empty()).collect();
    assert_eq!(
        cells,
        ["0", "a", "203.8", "120.0", "80.5", "0.0", "0.0", "0.0", "3.2", "0.0", "0.0", "512", "0"]
    );
}
